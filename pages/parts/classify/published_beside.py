"""Published accuracies of the chosen network, with what was measured here in its own column."""

from collections.abc import Mapping

import streamlit as st

from pages.parts.shared.references import NOTHING, References
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.evaluation.published import ACCURACY_BITS, published_accuracy
from quantlib.ptq import Settings


def show_published_beside(
    architecture: str, data_set: str, settings: Settings, measured: Mapping[Settings, float]
) -> None:
    """A row per method, where something was published about this network; else nothing.

    `measured` is top-1 accuracy in percent by settings.
    """
    rows = published_accuracy(architecture, data_set, settings)
    if not rows:
        return
    references = References.of(rows)
    here = {one.entry.published or one.entry.title: percent for one, percent in measured.items()}
    methods = list(dict.fromkeys(method for row in rows for method in row.accuracy))
    st.markdown(f"**{architecture} on {data_set} with {ACCURACY_BITS}-bit activations**")
    show_table(
        [
            {
                "method": method,
                "measured here, %": f"{here[method]:.2f}" if method in here else NOTHING,
                **{
                    f"published, % (source {references.to(row)})": f"{row.accuracy[method]:.2f}"
                    if method in row.accuracy
                    else NOTHING
                    for row in rows
                },
            }
            for method in methods
        ],
        "Top-1 accuracy, published and measured here",
    )
    references.show()
    caption(
        "eDQA is the longer paper on DQA by its authors; its figures are for all 10,000 test "
        "pictures, m = 3 and r = 0.4. Measured here is what this page shows: these weights, these "
        "pictures and these settings."
    )
