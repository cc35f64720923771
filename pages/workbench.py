"""The first screen: which channels matter, what the picture loses, what it saves."""

from dataclasses import replace

import numpy as np
import streamlit as st

from pages.parts.figures import charts, crops
from pages.parts.figures.compare import clicked_point, compare_slider
from pages.parts.shared.notices import notice
from pages.parts.shared.start import start_page
from pages.parts.super_resolution.adapting_view import show_adapted, show_adapting
from pages.parts.super_resolution.measuring import known_ranking, ranking_of
from pages.parts.super_resolution.network_forms import ready_bits, reference_depth
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import Passes, passes, wait_for, wait_for_greedy
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.imaging.reading import png_bytes
from quantlib.ptq import Settings, methods
from quantlib.ptq.criteria import SEARCHED
from quantlib.tasks.super_resolution import Measurement

start_page(
    "Workbench",
    "Choose a picture, a network and a method in the sidebar, and see what every bit buys.",
)

STRIP = (8, 6, 5, 4, 3, 2)
BUDGETS = (4.0, 3.0, 2.0, 1.5, 1.0)
CHART_HEIGHT = 330


def show(choices: Choices) -> None:
    settings = choices.settings
    if settings.entry.learned and settings.bits not in ready_bits(choices.network):
        show_adapting(choices)
        return
    wanted = [full_precision(choices), settings]
    if settings.entry.quantizes:
        wanted += [plain(choices), *at_all_bits(choices, settings)]
        wanted += at_all_bits(choices, plain(choices))
    with passes(choices, wanted) as under_way:
        show_passes(choices, under_way)


def show_passes(choices: Choices, under_way: Passes) -> None:
    subject, network, settings = choices.subject, choices.network, choices.settings
    full, result = wait_for(under_way, [full_precision(choices), settings], "Measuring")
    st.subheader(sentence(settings, full, result), anchor=False)
    reference = full.rgb if subject.truth is None else subject.truth
    crop = crops.crop_from_address(reference, bicubic(subject, network.scale))
    look, details = st.columns([5, 6], gap="medium")
    with look:
        show_slider(choices, full, result, crop)
        show_adapted(choices)
    with details:
        show_panels(choices, full, result, crop)
    matters, loses, saves = st.columns(3, gap="medium", border=True)
    with matters:
        if choices.settings.entry.budgeted:
            show_allocation(result)
        else:
            show_importance(choices)
    with saves:
        show_memory(choices, under_way)
    with loses:
        curve = st.container()
    strip = st.container(border=True)
    show_reproduce(choices)
    series = series_of(choices, under_way, settings) if settings.entry.quantizes else {}
    with strip:
        show_strip(series, crop)
    with curve:
        show_quality(choices, full, result, under_way, series)


def full_precision(choices: Choices) -> Settings:
    """What the choice is compared with: activations in full precision, at the same depth."""
    return Settings(methods.FP32.name, depth=reference_depth(choices.network, choices.settings))


def plain(choices: Choices) -> Settings:
    """Direct quantization with the chosen bits, at the same depth."""
    return replace(full_precision(choices), method=methods.DIRECT.name, bits=choices.settings.bits)


def at_all_bits(choices: Choices, settings: Settings) -> list[Settings]:
    """The settings with fewer and fewer bits; of RLQ's and greedy's those that there are."""
    if settings.entry.budgeted:
        return [replace(settings, bits_per_activation=budget) for budget in BUDGETS]
    learned = settings.entry.learned
    known = sorted(ready_bits(choices.network), reverse=True) if learned else STRIP
    wanted = [replace(settings, bits=bits) for bits in known]
    if settings.needs_ranking and settings.criterion == SEARCHED:
        wanted = [one for one in wanted if known_ranking(choices.network, one)]
    return wanted


def series_of(choices: Choices, under_way: Passes, settings: Settings) -> dict[float, Measurement]:
    """Measurements by bits."""
    wanted = [one for one in at_all_bits(choices, settings) if one in under_way]
    found = wait_for(under_way, wanted, f"{settings.entry.title} at other bits")
    return {one.rate: measurement for one, measurement in zip(wanted, found, strict=True)}


def sentence(settings: Settings, full: Measurement, result: Measurement) -> str:
    """What was measured, in one sentence."""
    ledger = result.ledger
    if not settings.entry.quantizes:
        quality = "" if full.psnr_y is None else f" reaches {full.psnr_y:.2f} dB and"
        return f"FP32{quality} moves {ledger.total.total / 1024:,.0f} KiB of activations."
    size = (
        f"{ledger.bits_per_activation:.2f} bits per activation, "
        f"{ledger.ratio:.1f} times smaller than FP32"
    )
    if full.psnr_y is None or result.psnr_y is None:
        return f"{settings.summary} takes {size}."
    return f"{settings.summary} keeps {result.psnr_y:.2f} of {full.psnr_y:.2f} dB at {size}."


def show_slider(choices: Choices, full: Measurement, result: Measurement, crop: crops.Crop) -> None:
    def move_crop() -> None:
        if point := clicked_point("slider"):
            crops.remember_crop(*point)

    quantized_png = png_bytes(result.rgb)
    compare_slider(
        png_bytes(full.rgb),
        quantized_png,
        f"FP32{_decibel(full)}",
        f"{choices.settings.summary}{_decibel(result)}",
        f"{choices.subject.title}, enlarged by the FP32 network and with quantized activations",
        key="slider",
        crop=crop.fractions(*full.rgb.shape[:2]),
        max_height=560,
        on_click=move_crop,
    )
    st.caption("Drag the divider, or use the arrow keys. Click to move the crop of all panels.")
    st.download_button(
        f"Download the {choices.settings.summary} result",
        quantized_png,
        f"{choices.subject.digest[:8]}-x{choices.network.scale}.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def _decibel(measurement: Measurement) -> str:
    return "" if measurement.psnr_y is None else f" · {measurement.psnr_y:.2f} dB"


def show_panels(choices: Choices, full: Measurement, result: Measurement, crop: crops.Crop) -> None:
    subject, scale = choices.subject, choices.network.scale
    floor = bicubic(subject, scale)
    reference, against = (
        (subject.truth, "the truth") if subject.truth is not None else (full.rgb, "FP32")
    )
    wrong = crops.error_map(result.rgb, reference)
    panels = [
        ("FP32", full.rgb, _quality(full)),
        (choices.settings.summary, result.rgb, _quality(result)),
        (f"Error × {crops.ERROR_GAIN}", wrong, f"against {against}"),
        ("Bicubic", floor, _floor_quality(floor, subject.truth, scale)),
    ]
    if subject.truth is not None:
        panels.append(("Truth", subject.truth, "the original"))
    panels.append(
        ("Input", subject.low, f"{subject.low.shape[1]}×{subject.low.shape[0]}, as it came")
    )
    crops.show_row(
        [
            crops.Panel(_cut(rgb, crop, full.rgb), title, figures, f"Crop of the picture: {title}")
            for title, rgb, figures in panels
        ]
    )
    st.caption(f"{CONVENTION}.")


def _cut(rgb: np.ndarray, crop: crops.Crop, full: np.ndarray) -> np.ndarray:
    if rgb.shape == full.shape:
        return crop.cut(rgb)
    scale = full.shape[0] // rgb.shape[0]
    top, left, bottom, right = (edge // scale for edge in crop.box(*full.shape[:2]))
    return rgb[top : max(bottom, top + 1), left : max(right, left + 1)]


def _quality(measurement: Measurement) -> str:
    if measurement.psnr_y is None or measurement.ssim_y is None:
        return "truth not known"
    return f"{measurement.psnr_y:.2f} dB, SSIM {measurement.ssim_y:.4f}"


def _floor_quality(floor: np.ndarray, truth: np.ndarray | None, scale: int) -> str:
    return "the floor" if truth is None else f"{psnr_y(floor, truth, scale):.2f} dB, the floor"


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
        st.caption(
            f"Darker is more important, by {settings.criterion}; the orange "
            f"{ratio:.0%} of each layer keep {settings.extra_bits} extra bits. "
            f"Ranked in {ranking.seconds:.2f} s."
        )
    else:
        st.caption(
            f"Darker is more important, by {settings.criterion}. "
            f"{settings.entry.title} treats all channels alike."
        )


def show_allocation(result: Measurement) -> None:
    st.markdown("**Where the bytes went**")
    bits = {name: size.bits_per_activation for name, size in result.ledger.sites.items()}
    figure = charts.layer_bars(list(bits), list(bits.values()), CHART_HEIGHT)
    charts.draw(figure, "Bits per activation of every layer", "allocation")
    fewest, most = min(bits, key=bits.__getitem__), max(bits, key=bits.__getitem__)
    st.caption(
        f"From {bits[fewest]:.2f} bits at {fewest} to {bits[most]:.2f} at {most}: an error is "
        "dear where the network's output follows it. That is measured with random directions of "
        "the output, without truth."
    )


def show_memory(choices: Choices, under_way: Passes) -> None:
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
    st.caption(
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
    under_way: Passes,
    series: dict[float, Measurement],
) -> None:
    st.markdown("**What the picture loses**")
    subject, network, settings = choices.subject, choices.network, choices.settings
    if subject.truth is None or not series:
        st.caption(
            "PSNR needs the truth: use your picture as the truth in the sidebar."
            if subject.truth is None
            else "FP32 loses nothing; choose a quantization method."
        )
        return
    curves = {settings.entry.title: _points(series)}
    if settings.entry is not methods.DIRECT:
        curves["Direct"] = _points(series_of(choices, under_way, plain(choices)))
    floor = psnr_y(bicubic(subject, network.scale), subject.truth, network.scale)
    chosen = (result.ledger.bits_per_activation, result.psnr_y or 0.0)
    figure = charts.quality_curve(curves, chosen, floor, full.psnr_y, CHART_HEIGHT)
    charts.draw(figure, "PSNR over measured bits per activation", "quality")
    st.caption("Every point is a measured pass; the ring is the current choice.")


def _points(series: dict[float, Measurement]) -> list[tuple[float, float, str]]:
    return [
        (m.ledger.bits_per_activation, m.psnr_y or 0.0, f"{bits:g} bit")
        for bits, m in series.items()
    ]


def show_strip(series: dict[float, Measurement], crop: crops.Crop) -> None:
    st.markdown("**The same crop with fewer and fewer bits**")
    if not series:
        st.caption("Choose a quantization method to see it.")
        return
    crops.show_row(
        [
            crops.Panel(
                crop.cut(measurement.rgb),
                f"{bits:g} bit",
                _strip_figures(measurement),
                f"The crop at {bits:g} bits",
            )
            for bits, measurement in series.items()
        ]
    )


def _strip_figures(measurement: Measurement) -> str:
    size = f"{measurement.ledger.total.total / 1024:,.0f} KiB"
    return size if measurement.psnr_y is None else f"{measurement.psnr_y:.2f} dB, {size}"


with notice():
    choices = choose()
    if choices.settings.needs_ranking:
        wait_for_greedy(choices)
    show(choices)
