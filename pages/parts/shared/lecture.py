"""Lecture mode, `lecture=true` in an address: what can be read from the last row of a room."""

import plotly.graph_objects as go
import streamlit as st

LECTURE = "lecture"
TEXT, LABELS, TALLER = 24, 19, 1.4  # CSS pixels of text and of charts' labels, and times the height
_STYLE = f"""<style>
html {{ font-size: {TEXT}px !important }}
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] {{ display: none }}
[data-testid="stMainBlockContainer"] {{ padding-top: 4rem }}
@media print {{ [data-testid="stHeader"], button {{ display: none }} }}
</style>"""


def in_lecture() -> bool:
    """Whether the address, or the switch on this page, says so."""
    asked = st.query_params.get(LECTURE, "").lower() == "true"
    return bool(st.session_state.get(LECTURE, asked))


def begin_lecture() -> None:
    """Large text and no sidebar; for the beginning of a page."""
    if in_lecture():
        st.html(_STYLE)


def enlarged(figure: go.Figure) -> go.Figure:
    """The figure with large labels, where there is a lecture."""
    if in_lecture():
        figure.update_layout(font_size=LABELS)
        if height := figure.to_dict()["layout"].get("height"):
            figure.update_layout(height=round(TALLER * height))
        figure.update_annotations(font_size=LABELS)
        figure.update_xaxes(tickfont_size=LABELS)
        figure.update_yaxes(tickfont_size=LABELS)
        figure.update_traces(textfont_size=LABELS, selector={"type": "bar"})
    return figure
