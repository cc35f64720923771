"""The workbench shows the chosen result before it measures anything to compare it with."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution import measuring
from pages.parts.workbench import pictures

PAGE = Path(__file__).parents[2] / "pages" / "workbench.py"


def test_nothing_is_measured_before_the_chosen_settings_are_drawn(monkeypatch):
    page = AppTest.from_file(PAGE, default_timeout=120).run()
    measure, show_crops = measuring.measure, pictures.show_crops
    events = []

    def measured(network, *rest):
        events.append(network.settings.bits)
        return measure(network, *rest)

    def drawn(*shown):
        show_crops(*shown)
        events.append("drawn")

    monkeypatch.setattr(measuring, "measure", measured)
    monkeypatch.setattr(pictures, "show_crops", drawn)
    page.slider(key="r").set_value(0.85).run()
    assert not page.exception
    assert events[:2] == [3, "drawn"]
    assert set(events[2:]) == {8, 6, 5, 4, 2}
