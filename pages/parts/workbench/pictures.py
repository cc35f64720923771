"""The pictures of the workbench: the viewer, the crops, and the crop with fewer and fewer bits."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.parts.figures import crops
from pages.parts.figures.linked_viewer import linked_viewer
from pages.parts.figures.viewer import View, clicked_point
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.panes import pane_of, stem_of
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.tasks.super_resolution import Measurement


def show_viewer(
    choices: Choices,
    full: Measurement,
    result: Measurement,
    others: Sequence[Result],
    crop: crops.Crop,
) -> None:
    def move_crop() -> None:
        if point := clicked_point("viewer"):
            crops.remember_crop(*point)

    quantized = pane_of(choices.settings.summary, result)
    linked_viewer(
        [pane_of("FP32", full), quantized, *(one.pane for one in others)],
        key="viewer",
        alt=f"{choices.subject.title}, enlarged by the FP32 network and with quantized activations",
        start=View(mode="split"),
        mark=crop.fractions(*full.rgb.shape[:2]),
        max_height=560,
        on_click=move_crop,
    )
    caption("Click to move the crop of all panels.")
    st.download_button(
        f"Download the {choices.settings.summary} result",
        quantized.png,
        f"{stem_of(choices.subject, choices.network.scale)}-{choices.settings.letters}.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def show_crops(
    choices: Choices,
    full: Measurement,
    result: Measurement,
    others: Sequence[Result],
    crop: crops.Crop,
) -> None:
    subject, scale = choices.subject, choices.network.scale
    floor = bicubic(subject, scale)
    reference, against = (
        (subject.truth, "the truth") if subject.truth is not None else (full.rgb, "FP32")
    )
    wrong = crops.error_map(result.rgb, reference)
    panels = [
        ("FP32", full.rgb, _quality(full)),
        (choices.settings.summary, result.rgb, _quality(result)),
        *((one.title, one.made.rgb, _quality(one.made)) for one in others),
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
    caption(f"{CONVENTION}.")


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


def show_strip(series: dict[float, Measurement], crop: crops.Crop) -> None:
    st.markdown("**The same crop with fewer and fewer bits**")
    if not series:
        caption("Choose a quantization method to see it.")
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
