"""A page asks its own server only, and runs under the policy that the server sends with it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, WebSocket, expect

from tests.browser.chromium import visit

HEADINGS = {"": "Workbench", "compare": "Compare", "importance": "Importance"}
INSIDE = ("data:", "blob:", "about:")
BREACH = "Content Security Policy"


@pytest.fixture
def asked(page: Page) -> Iterator[list[str]]:
    """The addresses that `page` has asked for, in a list that grows."""
    urls: list[str] = []

    def note(one: Request | WebSocket) -> None:
        urls.append(one.url)

    page.on("request", note)
    page.on("websocket", note)
    yield urls
    page.remove_listener("request", note)
    page.remove_listener("websocket", note)


@pytest.mark.parametrize("stem", list(HEADINGS))
def test_a_page_asks_its_own_server_only(page: Page, app_url, asked, console_errors, stem):
    visit(page, f"{app_url}/{stem}")
    expect(page.get_by_role("heading", name=HEADINGS[stem], exact=True)).to_be_visible()
    outside = [url for url in asked if not url.startswith(INSIDE)]
    assert {urlsplit(url).netloc for url in outside} == {urlsplit(app_url).netloc}
    assert {"ws", "http"} == {urlsplit(url).scheme for url in outside}
    assert not [line for line in console_errors if BREACH in line]


def test_a_picture_of_another_server_is_not_asked_for(page: Page, app_url, console_errors):
    visit(page, app_url)
    page.evaluate("() => { new Image().src = 'http://127.0.0.1:9/elsewhere.png'; }")
    page.wait_for_timeout(0)
    assert [line for line in console_errors if BREACH in line]


def test_no_button_leads_to_a_cloud(page: Page, app_url):
    """Plotly's toolbar can send a chart away, Streamlit's can deploy the app."""
    visit(page, app_url)
    assert page.locator(".js-plotly-plot").count()
    page.locator(".js-plotly-plot").first.hover()
    assert page.locator(".modebar-btn").count() == 0
    assert page.get_by_test_id("stAppDeployButton").count() == 0
    assert page.get_by_role("button", name="Deploy").count() == 0
