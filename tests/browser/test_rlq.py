"""The RLQ lab in a real browser, a short training included."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.chromium import fits, settle, visit

TRAINING_MS = 240_000
NOW = re.compile(r"Crop of the held-out photograph: RLQ, k = 1, step [1-9]\d*$")


def crop(page: Page, alt: str | re.Pattern[str]) -> np.ndarray:
    """The pixels that the browser was given; on a live page an element may go at any moment."""
    source = page.get_by_alt_text(alt).get_attribute("src") or ""
    kind, data = source.split(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(b64decode(data)))).astype(int)


def harmless(line: str) -> bool:
    """Streamlit asks for its own endpoints below the page first, and gets a 404 there."""
    return "404" in line


def start(page: Page, app_url: str, **query: str) -> None:
    address = "&".join(f"{name}={value}" for name, value in query.items())
    visit(page, f"{app_url}/rlq?{address}")
    page.get_by_role("button", name=re.compile(r"Train \d+ steps")).dblclick()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)


def test_dragging_redraws_and_the_address_keeps_it(page, app_url, console_errors):
    visit(page, f"{app_url}/rlq?bits=3")
    expect(page.get_by_role("heading", name="RLQ lab", exact=True)).to_be_visible()
    rows = page.locator("table")
    before = rows.inner_text()
    for label in ("Step α", "Shift τ"):
        thumb = page.get_by_role("slider", name=re.compile(label))
        thumb.focus()
        page.keyboard.press("PageUp")
        settle(page)
        assert rows.inner_text() != before
        before = rows.inner_text()
    page.wait_for_url(re.compile(r"step=.*tau=|tau=.*step="))
    page.reload()
    settle(page)
    assert rows.inner_text() == before
    page.get_by_role("button", name="MSE-optimal step").click()
    settle(page)
    assert rows.inner_text() != before
    assert not [line for line in console_errors if not harmless(line)]


@pytest.mark.timeout(600)
def test_training_is_live_outlives_other_pages_and_ends(page, app_url, console_errors):
    visit(page, app_url)  # from here on Streamlit knows the router and its titles
    start(page, app_url, steps="50")
    expect(page.get_by_text(re.compile(r"^Step \d+ of 50, about \d+ s left"))).to_be_visible(
        timeout=TRAINING_MS
    )
    expect(page.get_by_alt_text(NOW)).to_be_visible(timeout=TRAINING_MS)
    early = crop(page, NOW)
    page.get_by_role("link", name="Importance").first.click()
    expect(page.get_by_role("heading", name="Importance", exact=True)).to_be_visible()
    page.get_by_role("link", name="RLQ lab").first.click()
    done = page.get_by_text(re.compile(r"after 50 of 50 steps: RLQ, k = 1 at .* Took \d+ s"))
    expect(done).to_be_visible(timeout=TRAINING_MS)
    expect(page.get_by_role("button", name="Stop")).not_to_be_visible()
    settle(page)
    truth = crop(page, "Crop of the held-out photograph: Truth")
    late = crop(page, NOW)
    assert (late != early).any()
    first = crop(page, "Crop of the held-out photograph: RLQ, k = 1, step 0")
    assert np.abs(late - truth).mean() < 0.8 * np.abs(first - truth).mean()
    assert page.get_by_test_id("stException").count() == 0
    assert not [line for line in console_errors if not harmless(line)]


def test_training_stops(page, app_url):
    start(page, app_url, steps="300", rival="DoReFa")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).not_to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Train 300 steps")).to_be_enabled(timeout=60_000)
    settle(page)


def test_weights_are_not_cut_off_on_a_phone(phone, app_url):
    visit(phone, f"{app_url}/rlq?kind=Weights")
    assert fits(phone)
    phone.emulate_media(color_scheme="dark")
    settle(phone)
    assert fits(phone)


def test_every_chart_has_a_text(page, app_url):
    visit(page, f"{app_url}/rlq")
    charts = page.get_by_test_id("stPlotlyChart")
    assert charts.count() == 6
    for chart in charts.all():
        assert chart.get_by_role("img").count() or chart.get_attribute("aria-label")
