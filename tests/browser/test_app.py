"""The real app in a real browser: what a visitor sees, drags, clicks and waits for."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from pages.parts.figures.crops import Crop
from quantlib.tasks import super_resolution
from tests.browser.chromium import fits, settle, visit
from tests.browser.legible import faults
from tests.browser.workbench import press, sentence
from tests.little_work import SIDE

WIDTHS = (1920, 1280, 1024, 900, 800, 390)
PAGES = {
    "": "Workbench",
    "compare": "Compare",
    "importance": "Importance",
    "memory": "Memory",
    "classify": "Classify",
    "segment": "Segment",
    "rlq": "RLQ lab",
    "depth": "Depth",
    "speed": "Speed",
    "results": "Results",
    "tour": "Tour",
    "exercises": "Exercises",
    "glossary": "Glossary",
}


def pixels(target: Locator | Page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(target.screenshot())).convert("RGB")).astype(int)


def comparison(page: Page) -> Locator:
    return page.get_by_role("group", name=re.compile("enlarged by the FP32 network"))


@pytest.mark.parametrize("stem", list(PAGES))
def test_every_page_opens_directly_and_fits_all_screens(page, app_url, console_errors, stem):
    # the points of one picture are measured once for all tests
    visit(page, f"{app_url}/{stem}{'?picture=Cat' if stem == 'memory' else ''}")
    expect(page.get_by_role("heading", name=PAGES[stem], exact=True)).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        settle(page)
        assert fits(page), width
        assert not faults(page), width
    for theme, is_so in (("dark", lambda grey: grey < 60), ("light", lambda grey: grey > 200)):
        page.emulate_media(color_scheme=theme)
        settle(page)
        assert is_so(pixels(page)[-5, -5].mean())
    # Streamlit asks for its own endpoints below the page first, and gets a 404 there.
    assert not [line for line in console_errors if "404" not in line]


def test_dragging_the_divider_uncovers_the_quantized_picture(page, app_url):
    visit(page, f"{app_url}/?bits=2&method=Direct")
    handle = page.get_by_role("slider", name=re.compile("^Divider between")).first
    box = comparison(page).bounding_box()
    assert box is not None
    middle = box["y"] + 0.8 * box["height"]

    def drag(to: float) -> np.ndarray:
        page.mouse.move(box["x"] + box["width"] / 2, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + to * box["width"], middle, steps=8)
        page.mouse.up()
        page.mouse.move(5, 5)
        return pixels(comparison(page))

    full, quantized = drag(0.98), drag(0.02)
    assert np.abs(full - quantized).mean() > 2
    expect(handle).to_be_attached()


def test_changing_bits_changes_sentence_pixels_and_address(page, app_url):
    visit(page, f"{app_url}/?method=Direct&bits=2")
    crop = page.get_by_alt_text("Crop of the picture: 2-bit direct")
    before, coarse = sentence(page), pixels(crop)
    press(page, "Bits n", "ArrowRight")
    assert sentence(page) != before and "3-bit direct" in sentence(page)
    fine = pixels(page.get_by_alt_text("Crop of the picture: 3-bit direct"))
    truth = pixels(page.get_by_alt_text("Crop of the picture: Truth"))
    assert fine.shape == coarse.shape == truth.shape
    assert np.abs(fine - truth).mean() < np.abs(coarse - truth).mean()
    page.wait_for_url(re.compile("bits=3|method=Direct$"))


def test_a_change_shows_another_result(page, app_url):
    visit(page, f"{app_url}/?picture=Coffee+cup")
    before = sentence(page)
    for label in ("Bits n", "Extra bits m", "Important ratio r"):
        press(page, label, "ArrowRight")
        assert sentence(page) != before, label
        press(page, label, "ArrowLeft")
        assert sentence(page) == before, label


def test_a_click_moves_the_crop_of_all_panels(page, app_url):
    visit(page, f"{app_url}/?picture=Cat")
    panels = page.get_by_alt_text(re.compile("^Crop of the picture"))
    before = [pixels(panels.nth(i)) for i in range(panels.count())]
    box = comparison(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.85 * box["height"])
    page.wait_for_url(re.compile(r"at=0\.[67]"))
    settle(page)
    after = [pixels(panels.nth(i)) for i in range(panels.count())]
    assert len(after) == 6
    assert all(np.abs(a - b).mean() > 1 for a, b in zip(before, after, strict=True))
    address = page.url
    visit(page, address)
    again = [pixels(panels.nth(i)) for i in range(panels.count())]
    assert all((a == b).all() for a, b in zip(after, again, strict=True))


def test_a_point_of_the_memory_page_opens_in_the_workbench(page, app_url):
    visit(page, f"{app_url}/memory?picture=Cat")
    point = page.locator(".js-plotly-plot .scatterlayer .trace").first.locator(".point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("link", name=re.compile("^Open 2-bit direct in the workbench")).click()
    expect(page.get_by_role("heading", name="Workbench", exact=True)).to_be_visible(timeout=30_000)
    settle(page)
    assert "2-bit direct" in sentence(page)
    assert "picture=Cat" in page.url


def test_greedy_search_shows_progress_and_stops(page, app_url):
    visit(page, f"{app_url}/importance?picture=Cat")
    page.get_by_role("button", name=re.compile("greedy search")).click()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=30_000)
    expect(
        page.get_by_text(re.compile(r"Greedy search: \d+ of \d+, about \d+ s left"))
    ).to_be_visible(timeout=30_000)
    stop.click()
    settle(page)
    expect(stop).not_to_be_visible()
    expect(page.get_by_role("button", name=re.compile("greedy search"))).to_be_visible()


def test_a_wrong_upload_and_a_double_click_leave_the_page_alive(page, app_url, console_errors):
    visit(page, f"{app_url}/?picture=Your+own+picture")
    expect(page.get_by_text("No picture yet")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(page.get_by_text(re.compile("no PNG, JPEG, WebP, BMP or TIFF"))).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0
    page.get_by_text("Importance").first.dblclick()
    settle(page)
    expect(page.get_by_role("heading", name="Importance", exact=True)).to_be_visible()


def test_pictures_reach_the_browser_without_loss(page, app_url, monkeypatch):
    monkeypatch.setattr(super_resolution, "INPUT_SIDE", SIDE)  # as the server has it
    visit(page, f"{app_url}/?picture=Resolution+chart&at=0.5,0.5")
    source = page.get_by_alt_text("Crop of the picture: Truth").get_attribute("src") or ""
    kind, data = source.split(",")
    assert kind == "data:image/png;base64"
    shown = np.asarray(Image.open(io.BytesIO(b64decode(data))))
    assert (shown == Crop(0.5, 0.5).cut(super_resolution.sample_for("chart", 2))).all()


def test_nothing_is_asked_of_the_network(page, app_url):
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    visit(page, app_url)
    visit(page, f"{app_url}/memory?picture=Cat")
    page.remove_listener("request", note)
    assert not [url for url in asked if not url.startswith((app_url, "data:", "blob:", "ws:"))]
