"""One address for one state: along from page to page, back in one press, and in another browser."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import settle, visit
from tests.browser.test_app import PAGES, comparison
from tests.browser.workbench import press, sentence

CHOSEN = {"bits": ["5"], "picture": ["Cat"], "method": ["Direct"]}
START = "bits=5&picture=cat&method=direct"
WITH_PICTURE = ["importance", "memory", "depth", "speed", "rlq", "compare"]


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def go_to(page: Page, stem: str) -> None:
    page.get_by_test_id("stTopNavLink").filter(has_text=re.compile(f"^{PAGES[stem]}$")).click()
    expect(page.get_by_role("heading", name=PAGES[stem], exact=True)).to_be_visible(timeout=30_000)


def crops_of(page: Page) -> list[str | None]:
    return [one.get_attribute("src") for one in page.get_by_alt_text(re.compile("^Crop")).all()]


def test_choices_go_along_through_all_pages(page, app_url):
    visit(page, f"{app_url}/?{START}")
    assert "5-bit direct" in sentence(page)
    for stem in WITH_PICTURE:
        go_to(page, stem)
        page.wait_for_url(re.compile("picture=Cat"))
        expect(page.get_by_role("combobox", name="Picture")).to_have_value("Cat")
    go_to(page, "")
    settle(page)
    assert {key: value for key, value in query(page).items() if key in CHOSEN} == CHOSEN
    assert "5-bit direct" in sentence(page)


def test_one_press_of_back_leaves_a_page(page, app_url):
    visit(page, f"{app_url}/speed?picture=Cat")
    go_to(page, "")
    settle(page)
    press(page, "Bits n", "ArrowRight")
    press(page, "Bits n", "ArrowRight")
    there, said = page.url, sentence(page)
    go_to(page, "results")
    page.go_back()
    expect(page.get_by_role("heading", name="Workbench", exact=True)).to_be_visible(timeout=30_000)
    settle(page)
    assert page.url == there and sentence(page) == said and "4-bit DQA" in said
    page.go_back()
    expect(page.get_by_role("heading", name="Speed", exact=True)).to_be_visible(timeout=30_000)
    page.go_forward()
    expect(page.get_by_role("heading", name="Workbench", exact=True)).to_be_visible(timeout=30_000)
    settle(page)
    assert page.url == there and sentence(page) == said


def test_a_copied_link_says_what_it_holds_and_opens_the_same(page, app_url, browser: Browser):
    visit(page, f"{app_url}/?picture=Cat&method=Direct")
    box = comparison(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.85 * box["height"])
    page.wait_for_url(re.compile(r"at=0\.[67]"))
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    comparison(page).focus()
    page.keyboard.press("+")
    page.wait_for_url(re.compile(r"zoom=zoom_"))
    settle(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").filter(has_text="Link copied")).to_have_text(
        re.compile("It holds .*the picture.*the method.*the crop.*the zoom")
    )
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    crops = crops_of(page)
    with browser.new_context(reduced_motion="reduce") as context:
        other = context.new_page()
        visit(other, link)
        assert sentence(other) == sentence(page)
        assert crops_of(other) == crops
        factor = ".viewer .factor"
        assert other.locator(factor).first.inner_text() == page.locator(factor).first.inner_text()
        assert other.url == link


def test_a_link_does_not_start_the_greedy_search(page, app_url):
    visit(page, f"{app_url}/?picture=Coffee+cup&criterion=greedy")
    button = page.get_by_role("button", name=re.compile("^Run the greedy search at"))
    expect(button).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_text(re.compile("Greedy search, one pass"))).to_have_count(0)
    button.click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    settle(page)
    assert "DQA keeps" in sentence(page)
