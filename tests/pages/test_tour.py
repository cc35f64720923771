"""The tour: every stop asks first, shows what the library computes, and leads to its page."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.tour.stops import STOPS
from tests.pages.test_pages import fine, opened

NUMBERS = range(1, len(STOPS) + 1)
ASKED = "Show it without a guess"


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def way(app: AppTest) -> tuple[str, dict[str, list[str]]]:
    """The page that a stop leads to, and the settings in its address."""
    link = app.get("link_button")[0].proto
    page, _, query = link.url.partition("?")
    return page, parse_qs(query)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_stop_asks_before_it_shows(number: int):
    stop = STOPS[number - 1]
    app = opened("tour", stop=str(number), picture="Cat")
    assert fine(app)
    assert app.subheader[0].value == f"{number}. {stop.title}"
    assert app.radio[0].label == stop.question and app.radio[0].value is None
    assert not app.get("link_button") and not app.success and not app.warning
    verdicts = []
    for option in stop.options:
        app.radio[0].set_value(option).run()
        assert fine(app)
        verdicts.append("right" if app.success else "wrong")
        assert len(app.success) + len(app.warning) == 1
    assert sorted(verdicts) == ["right", *["wrong"] * (len(stop.options) - 1)]
    page, query = way(app)
    assert page == stop.page and query["picture"] == ["Cat"] and query["stop"] == [str(number)]
    assert "To remember:" in app.info[-1].value


@pytest.mark.parametrize("number", NUMBERS)
def test_the_control_changes_what_is_shown(number: int):
    app = opened("tour", stop=str(number), picture="Cat", shown="true")
    assert fine(app)
    before = said(app)
    if app.slider:
        control = app.slider[0]
        control.set_value(control.min if control.value != control.min else control.max).run()
    else:
        control = app.segmented_control[-1]
        shown = control.formatted_values[0]
        other = next(one for one in control.options if one != shown)
        control.set_value(int(other) if other.isdecimal() else other).run()
    assert fine(app)
    assert said(app) != before


def test_answers_are_kept_on_the_way_and_the_end_is_the_end():
    app = opened("tour", picture="Cat")
    for number in NUMBERS:
        assert app.subheader[0].value.startswith(f"{number}. ")
        assert app.button(key="back").disabled == (number == 1)
        assert app.button(key="next").disabled == (number == len(STOPS))
        app.radio[0].set_value(STOPS[number - 1].options[0]).run()
        assert fine(app)
        if number < len(STOPS):
            app.button(key="next").click().run()
    app.button(key="back").click().run()
    assert app.radio[0].value == STOPS[-2].options[0]


@pytest.mark.parametrize("asked", ["0", "11", "three", "-1", "1e3", "<b>"])
def test_a_wrong_stop_is_one_sentence_and_the_tour_goes_on(asked: str):
    app = opened("tour", stop=asked, picture="Cat")
    assert fine(app)
    assert app.subheader[0].value.startswith("1. ")
    assert len(app.info) == 1 and "a stop that there is not" in app.info[0].value
    app.button(key="next").click().run()
    assert app.subheader[0].value.startswith("2. ") and not app.info


def test_a_stop_opened_by_itself_is_one_sentence():
    app = opened("tour", stop="5", picture="Cat")
    assert len(app.info) == 1 and "straight to stop 5" in app.info[0].value
    assert not opened("tour", picture="Cat").info


@pytest.mark.parametrize(
    ("network", "stop"),
    [
        ("builtin:resnet-digits", 1),
        ("builtin:nothing", 2),
        ("hub:acme/x", 3),
        ("/etc/passwd", 4),
        ("builtin:quantsr-t-x2-fp32", 6),
        ("builtin:edsr-x2", 0),
    ],
)
def test_a_network_that_a_stop_cannot_use(network: str, stop: int):
    app = opened("tour", stop=str(stop), picture="Cat", network=network, shown="true")
    assert fine(app)
    sentences = [one.value for one in app.info if "goes on with builtin:edsr-x2" in one.value]
    assert len(sentences) == (network != "builtin:edsr-x2")


@pytest.mark.parametrize("network", ["builtin:edsr-x4", "builtin:quantsr-c-x2-w2a2"])
@pytest.mark.parametrize("number", [1, 8, 9, 10])
def test_other_bundled_networks(network: str, number: int):
    app = opened("tour", stop=str(number), picture="Cat", network=network, shown="true")
    assert fine(app)
    assert not any("goes on with" in one.value for one in app.info)
    assert way(app)[1]["network"] == [network]


def test_ones_own_picture_stays_outside():
    app = opened("tour", picture="Your own picture")
    assert fine(app)
    assert "your own picture waits" in app.info[0].value


def test_the_page_that_a_stop_leads_to_has_its_settings_and_the_way_back():
    app = opened("tour", stop="5", picture="Cat", tour_m="2", shown="true")
    page, query = way(app)
    there = opened(page, **{key: value[0] for key, value in query.items()})
    assert fine(there)
    assert there.slider(key="m").value == 2 and there.selectbox(key="picture").value == "cat"
    assert str(there.selectbox(key="channel").value) == query["channel"][0]
    assert there.get("link_button")[0].proto.url == "tour?stop=5"
