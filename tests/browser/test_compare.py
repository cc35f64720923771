"""The Compare page in a browser: columns one by one, stop, files to take along, the blind test."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from pages.parts.super_resolution.column import Column, written
from pages.parts.super_resolution.networks import DEFAULT
from quantlib.ptq import Settings
from tests.browser.chromium import fits, settle, visit

PATIENCE = 60_000


def captions(page: Page) -> list[str]:
    return page.locator(".pane .caption b").all_inner_texts()


def downloaded(page: Page, label: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def pictures(content: bytes) -> tuple[dict[str, np.ndarray], dict]:
    held = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in held.namelist() if name.endswith(".png")]
    found = {name: np.asarray(Image.open(held.open(name)).convert("RGB")) for name in names}
    return found, json.loads(held.read("card.json"))


def test_columns_results_files_and_the_blind_test(page, app_url, console_errors):
    visit(page, f"{app_url}/compare?picture=Cat&method=Direct&bits=2&preset=One+by+one")
    expect(page.locator(".pane")).to_have_count(1)
    page.get_by_role("button", name="Add 2-bit direct").click()
    expect(page.locator(".pane")).to_have_count(2, timeout=PATIENCE)
    page.wait_for_url(re.compile("columns="))
    settle(page)
    assert captions(page) == ["FP32", "2-bit direct"]

    name, content = downloaded(page, "All results as ZIP")
    results, card = pictures(content)
    assert name == "bitlens-compare-cat-x2.zip"
    assert list(results) == ["cat-x2-fp32.png", "cat-x2-direct-n2.png"]
    assert [one["file"] for one in card["results"]] == list(results)
    _, content = downloaded(page, "Contact sheet as PNG")
    sheet = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert all(on_sheet(sheet, rgb) for rgb in results.values())
    name, content = downloaded(page, "Contact sheet as PDF")
    assert name.endswith(".pdf") and content.startswith(b"%PDF-") and b"/MediaBox" in content

    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert fits(page)

    page.get_by_text("Blind test", exact=True).click()
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 11):
        expect(page.locator("h3").first).to_contain_text(f"Round {number} of 10")
        expect(page.locator(".pane")).to_have_count(3)
        assert captions(page) == ["A", "B", "Reference: the original"]
        page.get_by_role("button", name="A", exact=True).last.click()
    expect(page.locator("h3").first).to_contain_text(re.compile(r"found in \d+ of 10 rounds"))
    _, content = downloaded(page, "Download the result as JSON")
    told = json.loads(content)
    chosen = [row["chosen"] for row in told["rounds"]]
    assert told["score"] == chosen.count("FP32") and len(chosen) == 10
    page.get_by_role("button", name="Close the test").click()
    settle(page)
    assert captions(page) == ["FP32", "2-bit direct"]
    assert not [line for line in console_errors if "404" not in line]


def on_sheet(sheet: np.ndarray, rgb: np.ndarray) -> bool:
    """Whether a pane of the sheet is a crop of the result, each pixel a square of one colour."""
    side = min(84, *rgb.shape[:2])
    factor = 504 // side
    windows = np.lib.stride_tricks.sliding_window_view(rgb, (side, side, 3))
    crops = {one.tobytes() for one in windows.reshape(-1, side, side, 3)}
    for left in (40, 40 + 504 + 28):
        for top in range(60, 200):
            pane = sheet[top : top + factor * side, left : left + factor * side]
            small = pane[::factor, ::factor]
            whole = np.array_equal(small.repeat(factor, 0).repeat(factor, 1), pane)
            if whole and np.ascontiguousarray(small).tobytes() in crops:
                return True
    return False


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
