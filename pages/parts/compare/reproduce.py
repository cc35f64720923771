"""The Reproduce panel: a command for every column, and the Python lines for all of them."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.reproduce import reproduce_panel, show_lines
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.network_forms import name_for
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.reproduce import command, offer_picture, picture_lines
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION


def show_compare_reproduce(choices: Choices, results: Sequence[Result]) -> None:
    """The panel at the foot of the page."""
    subject, scale = choices.subject, choices.network.scale
    names = [name_for(one.network, one.settings) for one in results]
    with reproduce_panel():
        for name, one in zip(names, results, strict=True):
            code = command(subject, name, scale, *one.settings.flags())
            st.code(code, language="bash", wrap_lines=True)
        show_lines(None, python_lines(subject, names, results))
        offer_picture(subject)
        caption(f"{CONVENTION}.")


def python_lines(subject: Subject, names: Sequence[str], results: Sequence[Result]) -> str:
    imports, low_and_truth = picture_lines(subject)
    columns = "".join(
        f"    ({name!r}, {one.settings!r}),\n" for name, one in zip(names, results, strict=True)
    )
    return (
        "from quantlib.tasks.super_resolution import (\n"
        "    default_pairs, measure, open_network, prepare, sites_of,\n"
        ")\n"
        f"{imports}"
        "from quantlib.ptq import Settings\n\n"
        f"for name, settings in [\n{columns}]:\n"
        "    network = open_network(name, settings)\n"
        "    sites = sites_of(network, settings.method)\n"
        "    quantized = prepare(sites, settings, default_pairs(network))\n"
        f"    {low_and_truth}"
        "    result = measure(quantized, low, network.scale, truth)\n"
        "    print(settings.summary, result.psnr_y, result.ledger.total.total)\n"
    )
