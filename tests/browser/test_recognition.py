"""The pages for classifiers and segmenters in a real browser."""

import re

import torch
from playwright.sync_api import Page, expect
from safetensors.torch import save_file

from pages.parts.classify.picture_grid import SHOWN
from quantlib.models.architectures.unet import UNet
from tests.browser.chromium import settle, visit
from tests.browser.test_rlq import harmless

ANSWERS = re.compile(r": FP32 says ")
OVERLAYS = re.compile(r"^Cat: ")


def sentence(page: Page) -> str:
    return page.locator("h3").first.inner_text()


def test_fewer_bits_change_more_answers(page, app_url, console_errors):
    visit(page, f"{app_url}/classify?method=Direct&show=Changed&bits=3")
    before, few = sentence(page), page.get_by_alt_text(ANSWERS).count()
    assert before.startswith("3-bit direct names ")
    thumb = page.get_by_role("slider", name="Bits n")
    thumb.focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert sentence(page).startswith("2-bit direct names ")
    assert page.get_by_alt_text(ANSWERS).count() > few
    page.get_by_role("radio", name="All").click()
    settle(page)
    assert page.get_by_alt_text(ANSWERS).count() == SHOWN
    assert page.get_by_test_id("stException").count() == 0
    assert not [line for line in console_errors if not harmless(line)]


def test_a_method_that_is_not_offered_does_not_follow_from_the_workbench(page, app_url):
    visit(page, f"{app_url}/?method=RLQ")
    page.get_by_role("link", name="Classify").first.click()
    expect(page.get_by_role("heading", name="Classify", exact=True)).to_be_visible()
    settle(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").count() == 0
    assert "names" in sentence(page)


def test_an_uploaded_segmenter(page, app_url, tmp_path, console_errors):
    torch.manual_seed(0)
    save_file(UNet(5, 2).state_dict(), tmp_path / "net.safetensors")
    visit(page, f"{app_url}/segment?scene=Cat&segmentation_network=Your+own+file")
    page.locator("input[type=file]").set_input_files(tmp_path / "net.safetensors")
    expect(page.get_by_alt_text(OVERLAYS)).to_have_count(3, timeout=60_000)
    settle(page)
    assert "agrees with FP32 on" in sentence(page)
    assert page.get_by_test_id("stException").count() == 0
    assert not [line for line in console_errors if not harmless(line)]
