"""The workbench shows the chosen result before it measures anything to compare it with."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution import measuring

PAGE = Path(__file__).parents[2] / "pages" / "workbench.py"


@pytest.mark.parametrize("ratio", [0.85, 0.95])
def test_nothing_is_measured_beside_the_chosen_settings(monkeypatch, ratio):
    page = AppTest.from_file(PAGE, default_timeout=120).run()
    under_way, beside = set(), {}
    measure = measuring.measure

    def recorded(network, *rest):
        under_way.add(network.settings)
        for one in under_way:
            beside.setdefault(one, set()).update(under_way - {one})
        try:
            return measure(network, *rest)
        finally:
            under_way.remove(network.settings)

    monkeypatch.setattr(measuring, "measure", recorded)
    page.slider(key="r").set_value(ratio).run()
    assert not page.exception
    first, *others = beside
    assert (first.bits, first.important) == (3, ratio)
    assert not beside[first]
    assert len(others) == 5
