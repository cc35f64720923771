"""φ, the transform inside every quantization interval, forward and backward."""

import streamlit as st
import torch

from pages.parts.figures import charts
from pages.parts.rlq import charts as rlq_charts
from pages.parts.shared.terms import caption
from quantlib.qat.soft_rounding import phi

POINTS = 1_000_001


def show_phi() -> float:
    """φ and its slope; returns the k that the rest of the page uses."""
    st.subheader("φ changes gradients only", anchor=False)
    k = st.slider(
        "Softness k of φ",
        0.0,
        8.0,
        1.0,
        0.25,
        key="k",
        bind="query-params",
        help="QuantSR's released code has k = 1; k = 0 is the straight-through estimator (STE).",
    )
    st.markdown(
        "What does φ do in the forward pass? **Nothing: round(φ(x)) = round(x)**; over "
        f"{POINTS:,} values from −8 to 8 the largest difference at k = {k:g} is "
        f"**{largest_difference(k):g}**, measured just now. Its slope φ′ takes the place of the "
        "derivative of rounding in the backward pass."
    )
    curve, slope = st.columns(2, gap="medium", border=True)
    with curve:
        st.markdown("**Forward:** φ lies on the same side of every threshold as x")
        charts.draw(rlq_charts.phi_curve(k), "φ(x), x and their common rounding", "phi")
    with slope:
        st.markdown("**Backward:** more gradient near a threshold, less near a level")
        charts.draw(rlq_charts.phi_slope_curve(k), "Slope of φ, and 1 for STE", "phi slope")
    caption(
        "x is counted in steps α. φ(x) = ⌊x⌋ + ½ + tanh(k(f − ½)) / (2 tanh(k/2)) with "
        "f = x − ⌊x⌋; the mean of φ′ over a step is 1."
    )
    return k


@st.cache_data(max_entries=64, show_spinner=False)
def largest_difference(k: float) -> float:
    x = torch.linspace(-8, 8, POINTS, dtype=torch.float64)
    return (phi(x, k).round() - x.round()).abs().max().item()
