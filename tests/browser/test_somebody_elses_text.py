"""What comes with a network or a picture is text in a browser: no picture, no formatting."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.apps.text_app import TEXTS
from tests.browser.chromium import visit


@pytest.fixture(scope="module")
def url(start_server) -> str:
    return start_server("tests/browser/apps/text_app.py")


def test_it_is_shown_as_it_was_written(page: Page, url):
    visit(page, url)
    expect(page.locator(".st-key-rendered img")).to_have_count(1)
    for number, text in enumerate(TEXTS):
        place = page.locator(f".st-key-text{number}")
        assert place.inner_text() == " ".join(text.split())
        assert place.locator("img, strong, em, code, del, h1, table, .katex").count() == 0
