"""The Reproduce panel: the command and the Python lines that give the same numbers."""

import io
import zipfile

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.reproduce import command_line, reproduce_panel, show_lines
from pages.parts.shared.samples import TITLES
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.network_forms import adapted_for, name_for
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.reading import png_bytes
from quantlib.runtime.choice import Runtime

TRUTH, INPUT = "truth.png", "input.png"  # a visitor's picture, as it is downloaded
HIGH, LOW, MEMBER = "HR", "LR", "picture.png"  # and in the folders of a pair


def command(picture: Subject, model: str, scale: int, *flags: str) -> str:
    """The command line that measures what a page shows; without the truth it only enlarges."""
    if picture.truth is None:
        return command_line("upscale", INPUT, "result.png", "--model", model, *flags, "--json")
    sample = picture.source if picture.source in TITLES else TRUTH
    where = ("--hr", HIGH, "--lr", LOW) if picture.is_pair else ("--sample", sample)
    words = *where, "--scale", str(scale), *flags
    return command_line("evaluate", "--model", model, *words, "--json")


def picture_lines(picture: Subject) -> tuple[str, str]:
    """Imports, and the line that gives `low` and `truth` for a `network`."""
    if picture.source in TITLES:
        return (
            "from quantlib.tasks.super_resolution import reduced, sample_for\n",
            f"low, truth = reduced(sample_for({picture.source!r}, network.scale), network.scale)\n",
        )
    reading = "from quantlib.imaging.files import read_picture_file\n"
    if picture.truth is None:
        return reading, f"low, truth = read_picture_file({INPUT!r}).rgb, None\n"
    if picture.is_pair:
        files = (f"read_picture_file('{folder}/{MEMBER}').rgb" for folder in (LOW, HIGH))
        return reading, f"low, truth = {', '.join(files)}\n"
    return (
        f"{reading}from quantlib.tasks.super_resolution import reduced\n",
        f"low, truth = reduced(read_picture_file({TRUTH!r}).rgb, network.scale)\n",
    )


def python_lines(choices: Choices) -> str:
    """The same in Python."""
    settings = choices.settings
    imports, low_and_truth = picture_lines(choices.subject)
    running, runs = _runtime_lines(choices.runtime)
    return (
        "from quantlib.tasks.super_resolution import (\n"
        "    default_pairs, measure, open_network, prepare, sites_of,\n"
        ")\n"
        f"{imports}"
        "from quantlib.ptq import Settings\n"
        f"{running}\n"
        f"settings = {settings!r}\n"
        f"network = open_network({name_for(choices.network, settings)!r}, settings)\n"
        "sites = sites_of(network, settings.method)\n"
        "quantized = prepare(sites, settings, default_pairs(network))\n"
        f"{runs}"
        f"{low_and_truth}"
        "result = measure(quantized, low, network.scale, truth)\n"
        "print(result.psnr_y, result.ledger.total.total, result.ledger.bits_per_activation)\n"
    )


def _runtime_lines(runtime: Runtime) -> tuple[str, str]:
    """Imports, and the line that puts `quantized` where it is computed."""
    if runtime.simulates:
        return "", ""
    return (
        "from quantlib.runtime.choice import Runtime\n"
        "from quantlib.runtime.running import at_runtime\n",
        f"quantized = at_runtime(quantized, {runtime!r})\n",
    )


def show_reproduce(choices: Choices) -> None:
    """The panel at the foot of a page."""
    with reproduce_panel():
        name = name_for(choices.network, choices.settings)
        flags = *choices.settings.flags(), *choices.runtime.flags(choices.settings)
        show_lines(
            command(choices.subject, name, choices.network.scale, *flags), python_lines(choices)
        )
        offer_picture(choices.subject)
        caption(f"{CONVENTION}. {as_text(provenance(choices))}")


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


def offer_picture(picture: Subject) -> None:
    """The file that command and lines read, where it is a visitor's picture."""
    if picture.source in TITLES:
        return
    if picture.is_pair:
        label = f"Download the folders {LOW} and {HIGH}, the pair as it was used"
        name, content, kind = "pair.zip", folders_of(picture), "application/zip"
    else:
        name, rgb = (INPUT, picture.low) if picture.truth is None else (TRUTH, picture.truth)
        label = f"Download {name}, the picture as it was used"
        content, kind = png_bytes(rgb), "image/png"
    st.download_button(label, content, name, kind, icon=":material/download:", on_click="ignore")


def folders_of(pair: Subject) -> bytes:
    """A ZIP of two folders with a picture each."""
    assert pair.truth is not None
    with zipfile.ZipFile(made := io.BytesIO(), "w") as held:
        for folder, rgb in ((LOW, pair.low), (HIGH, pair.truth)):
            held.writestr(f"{folder}/{MEMBER}", png_bytes(rgb))
    return made.getvalue()
