"""The Reproduce lines of the depth page."""

from pages.parts.super_resolution.pictures import Subject
from quantlib.tasks.super_networks import SubNetwork


def command(name: str, picture: Subject, scale: int, depth: str | None) -> str | None:
    """The command line for a trained depth of a sample photograph."""
    if depth is None or picture.truth is None:
        return None
    return (
        f"python -m quantlib evaluate --model {name} --sample {picture.source} "
        f"--scale {scale} --depth {depth} --json"
    )


def python_lines(name: str, picture: Subject, chosen: SubNetwork) -> str:
    return (
        "from quantlib.tasks.super_networks import through_blocks\n"
        "from quantlib.models import load\n"
        "from quantlib.tasks.super_resolution import reduced, sample_for\n\n"
        f"network = load({name!r})\n"
        f"low, truth = reduced(sample_for({picture.source!r}, network.scale), network.scale)\n"
        f"print(through_blocks(network, {list(chosen.kept)}, low, truth).psnr_y)\n"
    )
