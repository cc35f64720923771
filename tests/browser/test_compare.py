"""The compare slider, driven as a visitor drives it and judged by the pixels on the screen."""

import base64
import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from streamlit.testing.v1 import AppTest

from tests.browser.chromium import settle, visit
from tests.browser.server import ROOT

APP = "tests/browser/apps/compare_app.py"
DARK = {"light": False, "dark": True}


@pytest.fixture(scope="session")
def compare_url(start_server) -> str:
    return start_server(APP)


@pytest.fixture
def frame(page: Page, compare_url: str) -> Locator:
    visit(page, compare_url)
    return slider(page)


def slider(page: Page) -> Locator:
    return page.get_by_role("group", name="Red against blue", exact=True)


def colours(frame: Locator) -> np.ndarray:
    """What is on the screen where the slider is, as (H, W, 3)."""
    return np.asarray(Image.open(io.BytesIO(frame.screenshot())).convert("RGB"))


def red_share(frame: Locator) -> float:
    """The share of a row in the lower third, below labels and grip, that shows the red picture."""
    pixels = colours(frame)
    row = pixels[int(len(pixels) * 0.9)].astype(int)
    return float(np.mean((row[:, 0] > 100) & (row[:, 2] < 60)))


def drag(frame: Locator, start: float, end: float, height: float = 0.25) -> None:
    box = frame.bounding_box()
    assert box
    mouse = frame.page.mouse
    y = box["y"] + height * box["height"]
    mouse.move(box["x"] + start * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + end * box["width"], y, steps=8)
    mouse.up()


def click(frame: Locator, x: float, y: float) -> None:
    box = frame.bounding_box()
    assert box
    frame.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_both_pictures_fill_the_same_box(frame, console_errors):
    left, right = (frame.locator(f".{side} img").bounding_box() for side in ("left", "right"))
    assert left == right == frame.bounding_box()
    assert left["width"] == pytest.approx(2 * left["height"], abs=1)
    assert not console_errors


def test_dragging_anywhere_moves_the_divider(frame):
    assert red_share(frame) == pytest.approx(0.5, abs=0.02)
    drag(frame, 0.2, 0.8)
    assert red_share(frame) == pytest.approx(0.8, abs=0.02)
    drag(frame, 0.8, 0.1, height=0.5)
    assert red_share(frame) == pytest.approx(0.1, abs=0.02)
    drag(frame, 0.1, -0.3)
    assert red_share(frame) == 0


def test_dragging_does_not_run_the_script(frame):
    drag(frame, 0.5, 0.7)
    settle(frame.page)
    expect(frame.page.get_by_text("point: None")).to_be_visible()


def test_enlarged_pixels_keep_their_exact_colours(frame):
    frame.get_by_role("slider").press("End")
    pixels = colours(frame)
    row = pixels[int(len(pixels) * 0.75), :-16]
    assert {tuple(map(int, colour)) for colour in row} == {(255, 0, 0), (128, 0, 0)}


def test_keyboard_moves_the_divider(frame):
    handle = frame.get_by_role("slider", name="Divider between FP32 <b>&</b> and 4 bits")
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    assert red_share(frame) == pytest.approx(0.6, abs=0.02)
    handle.press("ArrowLeft")
    assert red_share(frame) == pytest.approx(0.58, abs=0.02)
    expect(handle).to_have_attribute("aria-valuetext", "58 % FP32 <b>&</b>, 42 % 4 bits")
    handle.press("Home")
    assert red_share(frame) == 0
    handle.press("End")
    assert red_share(frame) == pytest.approx(1, abs=0.03)


def test_keyboard_focus_is_visible(frame):
    before = colours(frame)
    for _ in range(20):
        frame.page.keyboard.press("Tab")
        if frame.get_by_role("slider").evaluate("range => range.matches(':focus-visible')"):
            break
    else:
        pytest.fail("Tab never reached the slider")
    assert (colours(frame) != before).any()


def test_a_click_returns_the_point_and_leaves_the_divider(frame):
    drag(frame, 0.5, 0.7)
    click(frame, 0.25, 0.5)
    settle(frame.page)
    for name in ("point", "in callback"):
        text = frame.page.get_by_text(re.compile(rf"^{name}: \(")).inner_text()
        x, y = map(float, re.findall(r"[\d.]+", text))
        assert (x, y) == pytest.approx((0.25, 0.5), abs=0.01)
    assert red_share(frame) == pytest.approx(0.7, abs=0.02)


def test_a_click_on_the_handle_is_no_point(frame):
    click(frame, 0.5, 0.5)
    settle(frame.page)
    expect(frame.page.get_by_text("point: None")).to_be_visible()


def test_crop_is_drawn_and_the_divider_outlives_the_rerun(frame):
    expect(frame.locator(".crop")).to_be_hidden()
    drag(frame, 0.5, 0.3)
    frame.page.get_by_text("Crop").click()
    settle(frame.page)
    outer, crop = frame.bounding_box(), frame.locator(".crop").bounding_box()
    assert crop["x"] - outer["x"] == pytest.approx(0.25 * outer["width"], abs=1)
    assert crop["y"] - outer["y"] == pytest.approx(0.5 * outer["height"], abs=1)
    assert crop["width"] == pytest.approx(0.25 * outer["width"], abs=1)
    assert crop["height"] == pytest.approx(0.25 * outer["height"], abs=1)
    assert red_share(frame) == pytest.approx(0.3, abs=0.02)


def test_the_browser_gets_the_png_byte_for_byte(frame):
    at = AppTest.from_file(ROOT / APP, default_timeout=60).run()
    assert not at.exception
    sent = at.get("bidi_component")[0].proto.json
    for side in ("left", "right"):
        source = frame.locator(f".{side} img").get_attribute("src")
        kind, payload = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert payload in sent
        with Image.open(io.BytesIO(base64.b64decode(payload))) as image:
            assert (image.format, image.size) == ("PNG", (64, 32))


def test_labels_are_text_and_go_with_their_picture(frame):
    expect(frame.locator(".left .label")).to_have_text("FP32 <b>&</b>")
    expect(frame.get_by_role("img", name="4 bits: Red against blue")).to_be_attached()
    frame.get_by_role("slider").press("Home")
    corner = colours(frame)[4:40, 4:60]
    assert (corner[10:, 10:] == (0, 0, 255)).all()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_follow_the_theme(page, compare_url, scheme):
    page.emulate_media(color_scheme=scheme)
    visit(page, compare_url)
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    red = int(re.findall(r"\d+", background)[0])
    assert (red < 128) == DARK[scheme]
    expect(slider(page).locator(".left .label")).to_have_css("background-color", background)


@pytest.fixture
def touched(browser: Browser, compare_url: str) -> Iterator[Page]:
    """The app on a screen that is narrow and knows fingers."""
    size = ViewportSize(width=390, height=844)
    with browser.new_context(viewport=size, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        visit(page, compare_url)
        yield page


def test_a_finger_moves_the_divider_on_a_narrow_screen(touched):
    frame = slider(touched)
    box = frame.bounding_box()
    assert box and 300 < box["width"] <= 390 and box["x"] >= 0
    assert touched.evaluate("document.documentElement.scrollWidth") <= 390

    touch = touched.context.new_cdp_session(touched)
    y = box["y"] + 0.25 * box["height"]
    for kind, share in [("touchStart", 0.4), *(("touchMove", 0.4 + s / 25) for s in range(1, 11))]:
        point = {"x": box["x"] + share * box["width"], "y": y}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert red_share(frame) == pytest.approx(0.8, abs=0.03)

    touched.touchscreen.tap(box["x"] + 0.1 * box["width"], box["y"] + 0.75 * box["height"])
    settle(touched)
    expect(touched.get_by_text(re.compile(r"point: \(0\.[01]\d*, 0\.7\d*\)"))).to_be_visible()
