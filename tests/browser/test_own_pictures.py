"""A photograph of one's own: dropped, looked at in a region, kept over a reload, enlarged whole."""

import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from pages.parts.figures.region import Region
from quantlib.imaging.reading import read_picture
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import default_pairs, measure, prepare, sites_of
from tests.browser.chromium import fits, settle, visit
from tests.browser.files import changed, downloaded, drop, photograph, picker, region
from tests.browser.seeing import middle_of

MODEL = "builtin:quantsr-c-x2-w2a2"
QUERY = f"picture=Your+own+picture&method=FP32&network={MODEL}&role=input"


def test_a_photograph_is_looked_at_in_a_region_and_found_again(page, app_url, browser):
    photo = photograph(750, 1000)
    visit(page, f"{app_url}/?{QUERY}&region=350,475,64,64")
    expect(page.get_by_text("No picture yet")).to_be_visible()
    assert page.get_by_test_id("stAlertContentError").count() == 0
    drop(page, "photo.jpg", photo)
    expect(page.get_by_text("64×64 of 750×1000 pixels")).to_be_visible()

    stage = picker(page, "photo.jpg")
    frame, box = stage.locator(".frame"), stage.bounding_box()
    assert box is not None and abs(box["height"] / box["width"] - 4 / 3) < 0.02  # upright
    page.mouse.move(*middle_of(frame))
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    dragged = changed(page, Region(350, 475, 64, 64))
    assert abs(dragged.x + 32 - 150) < 8 and abs(dragged.y + 32 - 700) < 8

    stage.focus()
    page.keyboard.press("ArrowRight")
    moved = changed(page, dragged)
    assert moved == Region(dragged.x + 8, dragged.y, 64, 64)
    page.keyboard.press("-")
    smaller = changed(page, moved)
    assert smaller == Region(moved.x + 8, moved.y + 8, 48, 48)

    page.get_by_text("Reproduce these numbers").click()
    settle(page)
    name, content = downloaded(page, re.compile("^Download input.png"))
    upright = read_picture(photo).rgb
    assert name == "input.png"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), smaller.cut(upright))

    page.reload()
    expect(picker(page, "photo.jpg")).to_be_visible(timeout=30_000)
    settle(page)
    assert region(page) == smaller
    with browser.new_context() as other:  # the address alone opens nothing
        stranger = other.new_page()
        visit(stranger, page.url)
        expect(stranger.get_by_text("No picture yet")).to_be_visible()


def test_the_region_is_moved_by_touch_on_a_phone(phone, app_url):
    visit(phone, f"{app_url}/?{QUERY}")
    phone.get_by_test_id("stExpandSidebarButton").click()
    drop(phone, "small.jpg", photograph(600, 400))
    assert fits(phone)
    stage = picker(phone, "small.jpg")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None and box["x"] + box["width"] <= 390
    hand = phone.context.new_cdp_session(phone)
    hand.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, share in (("touchStart", 0.5), ("touchMove", 0.6), ("touchMove", 0.9)):
        point = {"x": box["x"] + share * box["width"], "y": box["y"] + share * box["height"]}
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    hand.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    phone.wait_for_url(re.compile("region="))
    settle(phone)
    assert region(phone) == Region(344, 144, 256, 256)  # as far as it goes


def test_the_whole_photograph_is_enlarged_and_downloaded(page, app_url):
    photo = photograph(325, 330)
    visit(page, f"{app_url}/?{QUERY}&region=10,20,32,32")
    drop(page, "my photo.jpg", photo)
    page.get_by_role("button", name="How long would it take?").click()
    expect(page.get_by_text(re.compile("in 4 tiles: about .* MB of memory"))).to_be_visible()
    page.get_by_role("button", name="Enlarge the whole picture").click()
    expect(page.get_by_text("my-photo-x2-fp32.png is being made.")).to_be_visible()
    page.reload()  # the work goes on, and is found again
    made = page.get_by_role("button", name="Download my-photo-x2-fp32.png")
    expect(made).to_be_visible(timeout=60_000)
    settle(page)
    name, content = downloaded(page, "Download my-photo-x2-fp32.png")
    with Image.open(io.BytesIO(content)) as image:
        assert (name, image.size) == ("my-photo-x2-fp32.png", (650, 660))
        result = np.asarray(image).astype(int)
    network = load(MODEL)
    quantized = prepare(sites_of(network), Settings("fp32"), default_pairs(network))
    wanted = measure(quantized, read_picture(photo).rgb, 2).rgb
    assert np.abs(result - wanted).max() <= 1
