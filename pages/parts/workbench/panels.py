"""The panels of the workbench: which channels matter, what the picture loses, what it saves."""

import streamlit as st

from pages.parts.figures import charts, colours
from pages.parts.shared.as_text import as_text
from pages.parts.shared.layer_titles import layer_title
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.measuring import ranking_of
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.super_resolution.waiting import UnderWay
from pages.parts.workbench.compared import full_precision, plain, series_of
from quantlib.evaluation.quality import psnr_y
from quantlib.ptq import methods
from quantlib.tasks.super_resolution import Measurement

CHART_HEIGHT = 330


def show_importance(choices: Choices) -> None:
    st.markdown("**Which channels matter**")
    settings = choices.settings
    ranking = ranking_of(choices.network, settings)
    ratio = settings.important if settings.needs_ranking else 0.0
    names = list(ranking.scores)
    figure = charts.importance_map(
        names,
        [ranking.scores[name].numpy() for name in names],
        [ranking.mask(name, ratio).numpy() for name in names],
        CHART_HEIGHT,
    )
    charts.draw(figure, "Importance of every channel of every layer", "importance")
    if settings.needs_ranking:
        caption(
            "The further a shade is from the page's, the more important is the channel, by "
            f"{settings.criterion}; the pink {ratio:.0%} of each layer keep "
            f"{settings.extra_bits} extra bits. "
            f"Ranked in {ranking.seconds:.2f} s."
        )
    else:
        caption(
            "The further a shade is from the page's, the more important is the channel, by "
            f"{settings.criterion}. "
            f"{settings.entry.title} treats all channels alike."
        )


def show_allocation(choices: Choices, result: Measurement) -> None:
    st.markdown("**Where the bytes went**")
    bits = {name: size.bits_per_activation for name, size in result.ledger.sites.items()}
    figure = charts.layer_bars(
        list(bits), list(bits.values()), colours.of_method(choices.settings.entry), CHART_HEIGHT
    )
    charts.draw(figure, "Bits per activation of every layer", "allocation")
    fewest, most = min(bits, key=bits.__getitem__), max(bits, key=bits.__getitem__)
    caption(
        f"From {bits[fewest]:.2f} bits at {as_text(layer_title(fewest))} to {bits[most]:.2f} at "
        f"{as_text(layer_title(most))}: an error is dear where the network's output follows it. "
        "That is measured with random directions of the output, without truth."
    )


def show_memory(choices: Choices, under_way: UnderWay) -> None:
    st.markdown("**What it saves**")
    settings = choices.settings
    titles = {full_precision(choices): "FP32"}
    if settings.entry.quantizes:
        titles[plain(choices)] = f"Direct {plain(choices).bits} bit"
        if settings.entry is not methods.DIRECT:
            titles[settings] = settings.entry.title
    rows = {title: under_way[one].result().ledger.total for one, title in titles.items()}
    charts.draw(
        charts.memory_bars(rows, CHART_HEIGHT), "Bytes of the activations by method", "memory"
    )
    caption(
        "Bytes of all quantized activations of one pass: the length of what would be stored. "
        "Below, magnified; tables include headers. " + weight_line(under_way[settings].result())
    )


def weight_line(result: Measurement) -> str:
    """The weights apart from the activations."""
    held, full = result.weights.total, result.weights.fp32
    smaller = f", {full / held:.1f} times smaller than FP32" if held < full else ", all FP32"
    return f"Weights and biases: {held / 1024:,.0f} KiB{smaller}."


def show_quality(
    choices: Choices,
    full: Measurement,
    result: Measurement,
    under_way: UnderWay,
    series: dict[float, Measurement],
) -> None:
    st.markdown("**What the picture loses**")
    subject, network, settings = choices.subject, choices.network, choices.settings
    if subject.truth is None or not series:
        caption(
            "PSNR needs the truth: use your picture as the truth in the sidebar."
            if subject.truth is None
            else "FP32 loses nothing; choose a quantization method."
        )
        return
    curves = {settings.method: _points(series)}
    if settings.entry is not methods.DIRECT:
        curves[plain(choices).method] = _points(series_of(choices, under_way, plain(choices)))
    floor = psnr_y(bicubic(subject, network.scale), subject.truth, network.scale)
    chosen = (result.ledger.bits_per_activation, result.psnr_y or 0.0)
    figure = charts.quality_curve(curves, chosen, floor, full.psnr_y, CHART_HEIGHT)
    charts.draw(figure, "PSNR over measured bits per activation", "quality")
    caption("Every point is a measured pass; the ring is the current choice.")


def _points(series: dict[float, Measurement]) -> list[tuple[float, float, str]]:
    return [
        (m.ledger.bits_per_activation, m.psnr_y or 0.0, f"{bits:g} bit")
        for bits, m in series.items()
    ]
