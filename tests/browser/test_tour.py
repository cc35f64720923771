"""The tour, the exercises and the glossary as they are walked: by keyboard, on a phone, by link."""

import io
import re
from xml.etree import ElementTree

from PIL import Image
from playwright.sync_api import Page, expect

from pages.parts.shared.terms import BY_MARK
from pages.parts.tour.stops import STOPS
from tests.browser.chromium import fits, settle, visit
from tests.browser.legible import faults

RIGHT, WRONG = "Right. ", "It is: "
_FOCUSED = """() => {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    return [focused?.type ?? "", (focused?.innerText ?? "").trim(), focused?.getAttribute("href")];
}"""
MANY = 60
PLACES = """(marks) => marks.map((mark) => {
    const chart = mark.closest(".js-plotly-plot").getBoundingClientRect();
    const box = mark.getBoundingClientRect();
    return [Math.round(box.x - chart.x), Math.round(box.y - chart.y)];
})"""


def tab_to(page: Page, wanted, key: str = "Tab") -> None:
    """Presses Tab until `wanted(type, text, href)` is true of what has the focus."""
    for _ in range(MANY):
        page.keyboard.press(key)
        if wanted(*page.evaluate(_FOCUSED)):
            return
    raise AssertionError("the focus never came there")


def verdict(page: Page) -> str:
    box = page.get_by_test_id("stAlert").filter(has_text=re.compile(f"{RIGHT}|{WRONG}"))
    expect(box).to_be_visible()
    return RIGHT if RIGHT in box.inner_text() else WRONG


def test_the_tour_is_walked_by_keyboard_with_wrong_and_right_guesses(page, app_url, console_errors):
    visit(page, f"{app_url}/tour?picture=Cat")
    seen: list[str] = []
    for number, stop in enumerate(STOPS, 1):
        expect(page.get_by_role("heading", name=f"{number}. {stop.title}")).to_be_visible()
        tab_to(page, lambda kind, *_: kind == "radio")
        page.keyboard.press("Space")
        settle(page)
        seen.append(verdict(page))
        for _ in stop.options[1:]:
            if seen[-1] == WRONG:
                page.keyboard.press("ArrowDown")
                settle(page)
                seen.append(verdict(page))
        assert seen[-1] == RIGHT
        expect(page.get_by_text("To remember:")).to_be_visible()
        assert fits(page) and not faults(page), number
        page.set_viewport_size({"width": 390, "height": 844})
        settle(page)
        assert fits(page) and not faults(page), number
        page.set_viewport_size({"width": 1280, "height": 900})
        if number < len(STOPS):
            tab_to(page, lambda kind, text, *_: text.endswith("Next"), "Shift+Tab")
            page.keyboard.press("Enter")
            page.wait_for_url(re.compile(f"stop={number + 1}"))
            settle(page)
    assert set(seen) == {RIGHT, WRONG}
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    assert page.get_by_test_id("stException").count() == 0
    assert not [line for line in console_errors if "404" not in line]


def test_a_stop_leads_to_its_page_and_back(page, app_url):
    visit(page, f"{app_url}/tour?stop=5&picture=Cat&shown=true&tour_m=2")
    page.get_by_role("link", name=re.compile(re.escape(STOPS[4].full))).click()
    expect(page.get_by_role("heading", name="Importance", exact=True)).to_be_visible(timeout=30_000)
    settle(page)
    for part in ("picture=Cat", "m=2", "stop=5"):
        assert part in page.url
    assert "tour_m" not in page.url and "shown" not in page.url
    expect(page.get_by_role("slider", name="Extra bits m")).to_have_value("2")
    page.get_by_role("link", name="Back to the tour, stop 5").click()
    expect(page.get_by_role("heading", name=f"5. {STOPS[4].title}")).to_be_visible(timeout=30_000)
    page.get_by_test_id("stTopNavLink").filter(has_text="Workbench").click()
    expect(page.get_by_role("heading", name="Workbench", exact=True)).to_be_visible(timeout=30_000)
    settle(page)
    assert "stop=5" in page.url


def test_a_term_opens_its_entry_by_keyboard_and_on_a_phone(phone, app_url):
    visit(phone, f"{app_url}/tour?stop=2&picture=Cat")
    tab_to(phone, lambda kind, text, href: (href or "").startswith("#term-"))
    word = phone.evaluate(_FOCUSED)[1]
    for theme in ("light", "dark"):
        phone.emulate_media(color_scheme=theme)
        settle(phone)
        phone.keyboard.press("Enter")
        entry = phone.get_by_role("dialog")
        expect(entry).to_be_visible()
        assert BY_MARK[word].title in entry.inner_text()
        box = entry.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
        phone.keyboard.press("Escape")
        expect(entry).to_be_hidden()
        assert phone.evaluate(_FOCUSED)[1] == word
    assert "#term" not in phone.url


def test_three_exercises_begin_by_their_links(page, app_url):
    for number in (0, 2, 6):
        visit(page, f"{app_url}/exercises")
        page.get_by_role("link", name="Start here").nth(number).click()
        expect(page.get_by_role("heading", name="Exercises", exact=True)).to_be_hidden(
            timeout=30_000
        )
        settle(page)
        assert page.get_by_test_id("stException").count() == 0
        assert "?" in page.url


def test_a_lecture_is_legible_and_goes_on_by_the_presenter_s_keys(page, app_url):
    page.set_viewport_size({"width": 1920, "height": 1080})
    visit(page, f"{app_url}/tour?stop=2&picture=Cat&shown=true&lecture=true")
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll(
            '[data-testid="stMain"] p, [data-testid="stMain"] label, .js-plotly-plot svg text')]
            .filter((e) => e.textContent.trim() && e.getBoundingClientRect().width)
            .map((e) => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert smallest >= 18
    assert fits(page) and not faults(page)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name=f"3. {STOPS[2].title}")).to_be_visible()
    settle(page)
    page.keyboard.press("PageUp")
    expect(page.get_by_role("heading", name=f"2. {STOPS[1].title}")).to_be_visible()


def test_the_shift_and_the_tree_go_forth_and_back(page, app_url):
    visit(page, f"{app_url}/importance?picture=Cat&bits=3&m=3")
    for key, drawn in (("shift", ".textpoint"), ("tree", ".js-line")):
        marks = page.locator(f".st-key-{key} {drawn}")
        forth = page.locator(f".st-key-Step-{key}-step button")
        back = page.locator(f".st-key-Step-back-{key}-step button")
        expect(back).to_be_disabled()

        def places(marks=marks) -> list:
            return marks.evaluate_all(PLACES)

        first = places()
        forth.click()
        settle(page)
        assert places() != first
        back.click()
        settle(page)
        assert places() == first


def test_a_figure_is_taken_along_with_its_conditions(page, app_url):
    visit(page, f"{app_url}/tour?stop=2&picture=Cat&shown=true&tour_bits=5")
    page.get_by_role("button", name="Figures").click()
    files = {}
    for ending in ("SVG", "PNG", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile(f"^{ending}: Values of channel")).click()
        files[ending] = download.value.path().read_bytes()
        assert download.value.suggested_filename.endswith(f".{ending.lower()}")
    drawn = ElementTree.fromstring(files["SVG"])
    words = " ".join(drawn.itertext())
    for condition in ("rounding to 5 bits", "stop=2", "picture=Cat", "tour_bits=5", "Tour"):
        assert condition in words and condition in files["CSV"].decode()
    assert drawn.findall(".//{http://www.w3.org/2000/svg}path")
    assert files["CSV"].decode().count("\n") > 2400
    picture = Image.open(io.BytesIO(files["PNG"])).convert("L")
    assert picture.width > 300 and len(set(picture.get_flattened_data())) > 10
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
