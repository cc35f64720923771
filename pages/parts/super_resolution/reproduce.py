"""The Reproduce panel: the command and the Python lines that give the same numbers."""

import shlex

import streamlit as st

from pages.parts.shared.reproduce import reproduce_panel, show_lines
from pages.parts.shared.samples import TITLES
from pages.parts.super_resolution.network_forms import adapted_for, name_for
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.reading import png_bytes


def command(choices: Choices) -> str:
    """The command line that measures what the page shows."""
    name, scale = name_for(choices.network, choices.settings), choices.network.scale
    options = shlex.join(choices.settings.flags())
    picture = choices.subject
    if picture.source in TITLES:
        where = f"--sample {picture.source}"
    elif picture.truth is not None:
        where = "--sample truth.png"
    else:
        model = shlex.quote(name)
        return f"python -m quantlib upscale input.png result.png --model {model} {options} --json"
    return (
        f"python -m quantlib evaluate --model {shlex.quote(name)} {where} "
        f"--scale {scale} {options} --json"
    )


def python_lines(choices: Choices) -> str:
    """The same in Python."""
    picture, settings = choices.subject, choices.settings
    if picture.source in TITLES:
        get = f"low, truth = reduced(sample_for({picture.source!r}, network.scale), network.scale)"
        extra = "from quantlib.tasks.super_resolution import reduced, sample_for\n"
    elif picture.truth is not None:
        get = 'low, truth = reduced(read_picture_file(Path("truth.png")).rgb, network.scale)'
        extra = _READING + "from quantlib.tasks.super_resolution import reduced\n"
    else:
        get = 'low, truth = read_picture_file(Path("input.png")).rgb, None'
        extra = _READING
    return (
        "from quantlib.tasks.super_resolution import (\n"
        "    default_pairs, measure, open_network, prepare, sites_of,\n"
        ")\n"
        f"{extra}"
        "from quantlib.ptq import Settings\n\n"
        f"settings = {settings!r}\n"
        f"network = open_network({name_for(choices.network, settings)!r}, settings)\n"
        "sites = sites_of(network, settings.method)\n"
        "quantized = prepare(sites, settings, default_pairs(network))\n"
        f"{get}\n"
        "result = measure(quantized, low, network.scale, truth)\n"
        "print(result.psnr_y, result.ledger.total.total, result.ledger.bits_per_activation)\n"
    )


_READING = "from pathlib import Path\n\nfrom quantlib.imaging.files import read_picture_file\n"


def show_reproduce(choices: Choices) -> None:
    """The panel at the foot of a page."""
    with reproduce_panel():
        show_lines(command(choices), python_lines(choices))
        _downloads(choices)
        st.caption(f"{CONVENTION}. {provenance(choices)}")


def provenance(choices: Choices) -> str:
    """Where the weights come from, in one line."""
    network = choices.network
    parts = [f"Weights: {network.source}, licence {network.licence or 'not stated'}"]
    if network.commit:
        parts.append(f"commit {network.commit[:12]}")
    if network.sha256:
        parts.append(f"SHA-256 {network.sha256[:16]}…")
    if adapted := adapted_for(network, choices.settings):
        parts.append(f"adapted here in {adapted.steps} steps, SHA-256 {adapted.file.sha256[:16]}…")
    return ", ".join(parts) + "."


def _downloads(choices: Choices) -> None:
    picture = choices.subject
    if picture.source in TITLES:
        return
    name, rgb = (
        ("truth.png", picture.truth) if picture.truth is not None else ("input.png", picture.low)
    )
    st.download_button(
        f"Download {name}, the picture as it was used",
        png_bytes(rgb),
        name,
        "image/png",
        icon=":material/download:",
    )
