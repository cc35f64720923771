"""What was published and what was measured here, side by side and never in one column."""

import streamlit as st

from pages.parts.figures.ablation import show_ablation
from pages.parts.results import comparison
from pages.parts.results.comparison import Comparison, comparisons, lines_for, what_is_missing
from pages.parts.results.comparison_view import show_comparison, show_runs
from pages.parts.results.dqa import show_dqa
from pages.parts.results.network_cards import cards, show_bundled
from pages.parts.results.published import show_published_psnr
from pages.parts.results.transformers import show_transformers
from pages.parts.shared.notices import body, notice
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from quantlib.evaluation.quality import CONVENTION
from quantlib.training.comparison.plan import Result, read_results
from quantlib.training.comparison.summary import name_of

start_page(
    "Results",
    "Published numbers with their source, and numbers measured here with the card of their run, "
    "in columns of their own.",
)

SCALE = 2
FAMILIES = {"EDSR": "QuantSR-C", "SwinIR": "QuantSR-T"}


def show_learned() -> None:
    results: dict[str, Result] = {}
    found: list[Comparison] = []
    with notice():
        results = read_results(comparison.RESULTS)
        if missing := what_is_missing(results):
            st.info(missing, icon=":material/hourglass_empty:")
        found = comparisons(results)
        if found:
            show_comparison(found)
    if results:
        show_runs(results)
    with notice():
        show_published_psnr(measured_here(found), SCALE)
    show_code("make comparison", lines_for(comparison.RESULTS))


def measured_here(found: list[Comparison]) -> dict[tuple[str, float], dict[str, str]]:
    """PSNR at ×2 by method and bits: of the comparison and of the bundled networks."""
    here: dict[tuple[str, float], dict[str, str]] = {}
    for card in cards().values():
        if card.scale == SCALE and (psnr := card.scores.get("full")):
            method = FAMILIES[card.architecture] if card.is_quantized else "FP32"
            figures = {name: f"{score:.2f}" for name, score in psnr.items()}
            here.setdefault((method, card.bits), figures)
    for row in (row for one in found for row in one.methods):
        here[name_of(row.run), row.bits] = {name: str(s) for name, s in row.psnr_y.items()}
    return here


VIEWS = {
    "Learned quantizers": show_learned,
    "Transformers": show_transformers,
    "Bundled networks": show_bundled,
    "DQA": show_dqa,
    "Ablation of DQA": show_ablation,
}
view = st.segmented_control(
    "View",
    list(VIEWS),
    default="Learned quantizers",
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
with body(is_light=True):
    VIEWS[view or "Learned quantizers"]()
caption(f"{CONVENTION}.")
