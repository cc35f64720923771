"""The workbench shows the chosen result before it measures anything to compare it with."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution import measuring, series
from pages.parts.workbench import integers, pictures
from quantlib.errors import QuantlibError
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened

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
    assert events[:2] == [2, "drawn"]
    assert set(events[2:]) == {*series.STRIP} - {2}


def decibels(page: AppTest) -> float:
    return float(page.subheader[0].value.split(" keeps ")[1].split(" of ")[0])


def test_real_integers_give_what_is_simulated_and_say_how_long_they_take():
    page = opened("workbench", picture="Cat", method="RLQ")
    simulated, code = page.subheader[0].value, page.code[0].value
    assert any("As real integers this picture takes" in one for one in captions(page))
    assert page.segmented_control(key="runtime").value == "torch" and "--runtime" not in code
    page.segmented_control(key="runtime").set_value("integer").run()
    assert fine(page)
    assert abs(decibels(page) - float(simulated.split(" keeps ")[1].split(" of ")[0])) <= 0.02
    assert page.code[0].value == code.replace(" --json", " --runtime integer --ends fp32 --json")
    page.segmented_control(key="ends").set_value("int8").run()
    assert fine(page) and "--ends int8" in page.code[0].value


def test_a_network_without_integers_says_why_beside_its_result(monkeypatch):
    def refused(*given):
        raise QuantlibError("No layer of it runs as integers.")

    monkeypatch.setattr(integers, "_seconds", refused)
    page = opened("workbench", picture="Cat", method="RLQ")
    assert fine(page) and " keeps " in page.subheader[0].value
    assert "No layer of it runs as integers." in captions(page)


def test_a_method_without_integers_says_so_and_has_no_switch():
    page = opened("workbench", picture="Cat", method="DQA", runtime="Integers")
    assert fine(page)
    assert not [one for one in page.segmented_control if one.key == "runtime"]
    assert any("has no form in integers" in one for one in captions(page))
