"""The Reproduce panel of the depth page."""

from pages.parts.shared.reproduce import reproduce_panel, show_lines
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.reproduce import command, offer_picture, picture_lines
from quantlib.tasks.super_networks import SubNetwork


def show_depth_reproduce(
    name: str, picture: Subject, scale: int, chosen: SubNetwork, trained_depth: str | None
) -> None:
    """The Python lines, for a trained depth the command too, and the visitor's picture."""
    measuring = trained_depth and command(picture, name, scale, "--depth", trained_depth)
    with reproduce_panel():
        show_lines(measuring, python_lines(name, picture, chosen))
        offer_picture(picture)


def python_lines(name: str, picture: Subject, chosen: SubNetwork) -> str:
    imports, low_and_truth = picture_lines(picture)
    return (
        "from quantlib.tasks.super_networks import through_blocks\n"
        "from quantlib.models import load\n"
        f"{imports}\n"
        f"network = load({name!r})\n"
        f"{low_and_truth}"
        f"print(through_blocks(network, {list(chosen.kept)}, low, truth).psnr_y)\n"
    )
