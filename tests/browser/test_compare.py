"""The Compare page in a browser: columns one by one, and stop."""

import re

from playwright.sync_api import Page, expect

from pages.parts.super_resolution.column import Column, titles_of, written
from pages.parts.super_resolution.networks import DEFAULT
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from tests.browser.chromium import fits, settle, visit
from tests.browser.seeing import factor, zoom_to

PATIENCE = 60_000
GREEDY = Settings("dqa", 3, criterion=SEARCHED)


def captions(page: Page) -> list[str]:
    return page.locator(".pane .caption b").all_inner_texts()


def test_columns_come_and_go_one_by_one_under_one_zoom(page, app_url, console_errors):
    full, direct, greedy = (
        Column(DEFAULT, one) for one in (Settings("fp32"), Settings("direct", 2), GREEDY)
    )
    columns = written([full, greedy])
    visit(
        page,
        f"{app_url}/compare?picture=Cat&method=Direct&bits=2&preset=One+by+one&columns={columns}",
    )
    expect(page.get_by_text("has no greedy search yet")).to_be_visible()
    expect(page.locator(".pane")).to_have_count(1)
    zoom_to(page, "800 %")
    page.wait_for_url(re.compile("zoom=zoom_8"))
    page.get_by_role("button", name=titles_of([greedy])[0]).click()  # takes it away
    expect(page.get_by_text("has no greedy search yet")).to_be_hidden()
    page.get_by_role("button", name="Add 2-bit direct").click()
    expect(page.locator(".pane")).to_have_count(2, timeout=PATIENCE)
    settle(page)
    assert captions(page) == titles_of([full, direct])
    assert factor(page) == 800
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert fits(page)
    assert not [line for line in console_errors if "404" not in line]


def test_results_come_one_by_one_and_stop_keeps_them(page, app_url):
    slow = [Column(DEFAULT, Settings("noisyquant", bits)) for bits in (5, 6, 7, 8)]
    columns = written([Column(DEFAULT, Settings("fp32")), *slow])
    page.goto(f"{app_url}/compare?picture=Coffee+cup&preset=One+by+one&columns={columns}")
    expect(page.get_by_text(re.compile(r"Measuring: [1-4] of 5, about \d+ s left"))).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.locator(".pane").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile("Stopped: [1-4] of 5 results"))).to_be_visible(
        timeout=PATIENCE
    )
    settle(page)
    assert captions(page)[0] == "FP32" and len(captions(page)) < 5
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
