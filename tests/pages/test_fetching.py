"""The browser fetches what draws charts before there is one, and once a visit."""

from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.parts.figures.fetching import charts_to_come

    with charts_to_come():
        st.container().plotly_chart({"data": [{"y": [1, 2]}]}, key="last")


def test_a_chart_of_nothing_comes_first_and_goes_in_the_end(monkeypatch):
    drawn = []

    def note(name):
        method = getattr(DeltaGenerator, name)

        def noted(*args, **kwargs):
            drawn.append(kwargs.get("key", name))
            return method(*args, **kwargs)

        monkeypatch.setattr(DeltaGenerator, name, noted)

    note("plotly_chart")
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert drawn == ["fetching charts", "last"]
    assert len(app.get("plotly_chart")) == 1
    drawn.clear()
    app.run()
    assert drawn == ["last"]
