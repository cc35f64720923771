"""How far a quantized segmenter's classes are those of full precision, without an annotation."""

import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts, colours
from pages.parts.recognition.class_changes import show_in_numbers
from pages.parts.shared.terms import caption
from quantlib.tasks.segmentation import Segmentation


def show_agreement(result: Segmentation) -> None:
    """IoU of the quantized network's classes with FP32's, which is no accuracy."""
    st.markdown("**How far it agrees with FP32**")
    agreement = result.confusion.per_class
    figure = go.Figure(
        go.Bar(
            x=list(agreement.values()),
            y=list(agreement),
            orientation="h",
            marker_color=colours.own(),
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    )
    figure.update_layout(height=90 + 26 * len(agreement))
    figure.update_xaxes(title="IoU with FP32's own classes, in %", range=[0, 101], dtick=25)
    figure.update_yaxes(type="category", autorange="reversed")
    charts.draw(figure, "Agreement with FP32 by class", "agreement")
    caption(
        f"Agreement, not accuracy: what FP32 calls each pixel stands in for the truth. Mean over "
        f"the classes: {result.confusion.mean_iou:.2f} %."
    )


def show_agreement_in_numbers(result: Segmentation) -> None:
    """The same in figures, with the pixels that FP32 gave to each class."""
    called = result.confusion.pixels
    number = st.column_config.NumberColumn
    show_in_numbers(
        [
            {"class": name, "pixels by FP32": called[name], "agreement, IoU in %": percent}
            for name, percent in result.confusion.per_class.items()
        ],
        {
            "pixels by FP32": number(format="localized"),
            "agreement, IoU in %": number(format="%.2f"),
        },
    )
