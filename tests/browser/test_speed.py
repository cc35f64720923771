"""The speed page in a browser: it waits to be asked and measures every form."""

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import fits, settle, visit


def test_forms_are_measured_when_asked(page, app_url):
    visit(page, f"{app_url}/speed?picture=Cat&rounds=3")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("h3").first).to_contain_text("× as fast", timeout=200_000)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert {row["engine"] for row in rows} == {"PyTorch", "ONNX Runtime"}
    assert all(float(row["median_seconds"]) > 0 for row in rows if not row["why_not"])


def test_the_workbench_switches_to_integers(page, app_url):
    visit(page, f"{app_url}/?picture=Cat&method=RLQ")
    expect(page.get_by_text("As real integers this picture takes")).to_be_visible()
    page.get_by_role("radiogroup", name="Runtime").get_by_text("Integers").click()
    settle(page)
    page.wait_for_url("**/*runtime=Integers*")
    expect(page.locator("h3").first).to_contain_text("4-bit RLQ keeps")
    assert page.get_by_test_id("stException").count() == 0
