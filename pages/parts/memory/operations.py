"""What the current choice adds to the network's own work."""

import streamlit as st

from pages.parts.shared.terms import caption
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.measuring import measured, quantized
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.operations import count_operations
from quantlib.imaging.tensors import to_tensor


def show_operations(choices: Choices) -> None:
    """What the current choice adds to the network's own work."""
    result = measured(choices.subject, choices.network, choices.settings)
    low = to_tensor(choices.subject.low)
    counts = on_worker(
        count_operations, quantized(choices.network, choices.settings), low, result.ledger.sites
    )
    rows = [
        {"operation": "the network's multiply-accumulates", "count": counts.macs},
        {"operation": "quantize: multiply, round, clip", "count": counts.quantize},
        {"operation": "shift and mask", "count": counts.shift},
        {"operation": "symbols encoded", "count": counts.encode},
        {"operation": "symbols decoded", "count": counts.decode},
        {"operation": "de-quantize: multiply", "count": counts.dequantize},
    ]
    shares = [{**row, "of the network's, in %": 100 * row["count"] / counts.macs} for row in rows]
    with st.expander("Operations that the current choice adds", icon=":material/calculate:"):
        st.dataframe(shares, hide_index=True)
        caption("Counted per picture, from the shapes and the important channels.")
