"""The browser's code for charts, fetched before there is a chart."""

from collections.abc import Iterator
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

FETCHED = "charts fetched"


@contextmanager
def charts_to_come() -> Iterator[None]:
    """Inside, a page is drawn that ends in charts.

    At a visitor's first look a chart of nothing stands below it meanwhile: the browser takes over a
    second to fetch and to start what draws charts, which is as long as the first numbers take.
    """
    page, below = st.container(), st.empty()
    if FETCHED not in st.session_state:
        nothing = go.Figure(layout={"height": 10, "margin": dict.fromkeys("lrtb", 0)})
        nothing.update_xaxes(visible=False).update_yaxes(visible=False)
        below.plotly_chart(nothing, key="fetching charts", alt="No chart yet")
    with page:
        yield
    below.empty()
    st.session_state[FETCHED] = True
