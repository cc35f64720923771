"""A walk over the Compare page with a photograph of one's own, judged by pixels and by files."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, ViewportSize, expect

from pages.parts.super_resolution.column import Column, written
from pages.parts.super_resolution.networks import DEFAULT
from quantlib.ptq import Settings
from tests.browser.chromium import settle, visit
from tests.browser.files import changed, downloaded, drop, photograph, picker, region
from tests.browser.seeing import (
    Place,
    drag,
    faces,
    factor,
    middle_of,
    press,
    seen,
    stage,
    whole,
    zoom_to,
)

SIZE = ViewportSize(width=1280, height=1300)
PATIENCE = 60_000
DIRECT = [Column(DEFAULT, Settings("direct", bits)) for bits in (8, 6, 4, 3, 2)]
COLUMNS = written([Column(DEFAULT, Settings("fp32")), *DIRECT])
SIDE, GAIN, SHEET_CROP, ROUNDS = 128, 10, 84, 10
PANE, MARGIN, GAP = 504, 40, 28  # of the contact sheet


@dataclass(frozen=True)
class Walk:
    """A page with six results of the region `truth`; `files` holds them by name, in their order."""

    page: Page
    truth: np.ndarray
    archive: str
    files: dict[str, np.ndarray]
    card: dict

    @property
    def results(self) -> list[np.ndarray]:
        return list(self.files.values())


@pytest.fixture(scope="module")
def walk(browser: Browser, app_url: str) -> Iterator[Walk]:
    """From the upload to six results, which have been downloaded."""
    with browser.new_context(viewport=SIZE, reduced_motion="reduce") as context:
        page, errors = context.new_page(), []
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        visit(
            page,
            f"{app_url}/compare?picture=Your+own+picture&preset=One+by+one&columns={COLUMNS}"
            f"&region=1400,1900,{SIDE},{SIDE}",
        )
        photo = photograph(3000, 4000)
        drop(page, "photo.jpg", photo)
        before, (x, y) = region(page), middle_of(picker(page, "photo.jpg").locator(".frame"))
        drag(page, (x, y), (x - 30, y + 40))
        dragged = changed(page, before)
        assert dragged.x < before.x and dragged.y > before.y
        expect(page.locator(".pane")).to_have_count(6, timeout=PATIENCE)
        settle(page)
        archive, content = downloaded(page, "All results as ZIP")
        files, card = unpacked(content)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(photo)))
        yield Walk(page, dragged.cut(np.asarray(upright)), archive, files, card)
    assert not [line for line in errors if "404" not in line]


def unpacked(content: bytes) -> tuple[dict[str, np.ndarray], dict]:
    held = zipfile.ZipFile(io.BytesIO(content))
    assert held.testzip() is None
    names = [name for name in held.namelist() if name.endswith(".png")]
    found = {name: np.asarray(Image.open(held.open(name))).astype(int) for name in names}
    return found, json.loads(held.read("card.json"))


@pytest.fixture
def page(walk: Walk) -> Page:
    """All panes beside each other at the zoom that fits, without outlines over their pixels."""
    show(walk.page)
    return walk.page


def show(page: Page) -> None:
    stage(page).focus()
    press(page, "a", "0")
    page.get_by_label("Show", exact=True).select_option("off")
    stage(page).focus()


def looked(page: Page) -> list[np.ndarray]:
    page.locator(".mark").evaluate_all("all => all.forEach(one => one.style.opacity = 0)")
    return seen(page)


def captions(page: Page) -> list[str]:
    return page.locator(".pane .caption b").all_inner_texts()


def test_six_results_of_the_region_are_downloaded_with_their_card(walk, page):
    assert walk.archive == "bitlens-compare-photo-region-x2.zip"
    assert list(walk.files)[:2] == ["photo-region-x2-fp32.png", "photo-region-x2-direct-n8.png"]
    assert len(walk.files) == 6
    assert [one["file"] for one in walk.card["results"]] == list(walk.files)
    assert [one["result"] for one in walk.card["results"]] == captions(page)
    for one, rgb in zip(walk.card["results"], walk.results, strict=True):
        assert rgb.shape == walk.truth.shape == (SIDE, SIDE, 3)
        errors = (rgb - walk.truth.astype(int))[2:-2, 2:-2]
        psnr = 10 * np.log10(255**2 / (errors**2).mean())
        assert one["PSNR of RGB in dB"] == pytest.approx(psnr, abs=0.006)


def test_at_400_percent_every_pixel_is_one_of_the_result(walk, page):
    zoom_to(page, "400 %")
    panes = looked(page)
    start = Place.middle(panes[0], walk.truth, 4)
    for pane, rgb in zip(panes, walk.results, strict=True):
        assert (pane == start.cut(rgb, 4, pane.shape)).all()
    x, y = middle_of(faces(page).nth(4))
    drag(page, (x, y), (x + 33, y - 21))
    moved = Place(start.x - 33, start.y + 21)
    for pane, rgb in zip(looked(page), walk.results, strict=True):
        assert (pane == moved.cut(rgb, 4, pane.shape)).all()


def test_keys_flicker_between_six_results_in_place(walk, page):
    zoom_to(page, "400 %")

    def alone() -> np.ndarray:
        (pane,) = looked(page)
        return whole(pane, 4, (SIDE, SIDE))

    for number, rgb in enumerate(walk.results, 1):
        press(page, str(number))
        assert (alone() == rgb.repeat(4, 0).repeat(4, 1)).all()
    page.keyboard.down("Space")
    assert (alone() == walk.results[0].repeat(4, 0).repeat(4, 1)).all()
    page.keyboard.up("Space")


def test_the_difference_is_that_of_the_downloaded_results(walk, page):
    zoom_to(page, "400 %")
    press(page, "d")
    panes, (reference, *others) = looked(page), walk.results
    place = Place.middle(panes[0], reference, 4)
    wanted = [reference, *(GAIN * np.abs(one - reference) for one in others)]
    for pane, rgb in zip(panes, wanted, strict=True):
        assert (pane == place.cut(rgb.clip(0, 255), 4, pane.shape)).all()


def test_the_sheet_shows_the_crop_that_was_clicked(walk, page):
    box = faces(page).first.bounding_box()
    assert box is not None
    shift = 0.25 * SIDE * (factor(page) // 100)
    page.mouse.click(box["x"] + box["width"] / 2 + shift, box["y"] + box["height"] / 2 - shift)
    page.wait_for_url(re.compile("at="))
    settle(page)
    top, left = SIDE // 4 - SHEET_CROP // 2, 3 * SIDE // 4 - SHEET_CROP // 2
    top, left = max(top, 0), min(left, SIDE - SHEET_CROP)
    crops = [rgb[top : top + SHEET_CROP, left : left + SHEET_CROP] for rgb in walk.results]
    name, content = downloaded(page, "Contact sheet as PNG")
    assert name == "bitlens-compare-photo-region-x2.png"
    assert_holds(Image.open(io.BytesIO(content)), crops)
    name, content = downloaded(page, "Contact sheet as PDF")
    assert name == "bitlens-compare-photo-region-x2.pdf"
    assert_holds(picture_of(content), crops)


def picture_of(pdf: bytes) -> Image.Image:
    """The one picture of a PDF, which lies there without loss."""
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    (stream,) = re.findall(rb"stream\r?\n(\x00\x00\x00\x0cjP  .*?)\s*endstream", pdf, re.DOTALL)
    return Image.open(io.BytesIO(stream))


def assert_holds(sheet: Image.Image, crops: list[np.ndarray]) -> None:
    """Six panes in two rows, every pixel of a crop a square of one colour."""
    pixels = np.asarray(sheet.convert("RGB"))
    zoom = PANE // SHEET_CROP
    top = 0
    for row in (crops[:3], crops[3:]):
        panes = [crop.repeat(zoom, 0).repeat(zoom, 1) for crop in row]
        starts = (pixels[top:, MARGIN : MARGIN + PANE] == panes[0][0]).all((1, 2))
        top += int(np.flatnonzero(starts)[0])
        for column, pane in enumerate(panes):
            left = MARGIN + column * (PANE + GAP)
            assert (pixels[top : top + PANE, left : left + PANE] == pane).all()
        top += PANE


def test_the_blind_test_is_scored_by_what_was_seen(walk, page):
    names = captions(page)
    zoom_to(page, "800 %")
    page.wait_for_url(re.compile("zoom=zoom_8"))
    page.get_by_text("Blind test", exact=True).click()
    page.get_by_role("button", name="Begin").click()
    shown = []
    for number in range(1, ROUNDS + 1):
        expect(page.locator("h3").first).to_contain_text(f"Round {number} of {ROUNDS}")
        expect(page.locator(".pane")).to_have_count(3)
        settle(page, quiet_ms=100)
        assert captions(page) == ["A", "B", "Reference: the original"]
        side = SIDE // 2
        panes = [whole(one, factor(page) // 100, (side, side)) for one in seen(page)]
        shown.append([one[:: factor(page) // 100, :: factor(page) // 100] for one in panes])
        page.get_by_role("button", name="A", exact=True).last.click()
    expect(page.locator("h3").first).to_contain_text(re.compile(r"found in \d+ of 10 rounds"))
    name, content = downloaded(page, "Download the result as JSON")
    assert name == "bitlens-blind-photo-region-x2.json"
    told = json.loads(content)
    of_name = dict(zip(names, walk.results, strict=True)) | {"": walk.truth}
    for row, panes in zip(told["rounds"], shown, strict=True):
        top, left = row["crop"]["top"], row["crop"]["left"]
        for of, pane in zip((row["A"], row["B"], ""), panes, strict=True):
            assert (pane == of_name[of][top : top + side, left : left + side]).all()
    found = sum(row["A"] == "FP32" for row in told["rounds"])
    assert (told["score"], told["of"]) == (found, ROUNDS)
    expect(page.locator("h3").first).to_contain_text(f"FP32 was found in {found} of 10")
    page.get_by_role("button", name="Close the test").click()
    settle(page)
    assert captions(page) == names
    assert factor(page) == 800  # as the address says


def test_a_link_shows_the_same_in_another_browser(walk, page, browser):
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Your own file is not in it: it stays here.")).to_be_visible()
    page.get_by_role("combobox", name="Picture").click()
    page.get_by_role("option", name="Cat", exact=True).click()
    page.wait_for_url(re.compile("picture=Cat"))
    expect(page.locator(".pane canvas").nth(5)).to_have_attribute(
        "aria-label", re.compile("Cat"), timeout=PATIENCE
    )
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_role("button", name="All results as ZIP")).to_be_visible(timeout=PATIENCE)
    settle(page)
    stage(page).focus()
    zoom_to(page, "400 %")
    press(page, "ArrowRight", "d")
    page.wait_for_url(re.compile("zoom=.*absolute"))
    settle(page)
    with browser.new_context(viewport=SIZE, reduced_motion="reduce") as context:
        other = context.new_page()
        visit(other, page.url)
        expect(other.locator(".pane")).to_have_count(6, timeout=PATIENCE)
        settle(other)
        assert captions(other) == captions(page)
        for here, there in zip(seen(page), seen(other), strict=True):
            assert np.ptp(here) > 0 and (here == there).all()
