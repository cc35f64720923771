"""The workbench as a visitor works it: what it says, and how long a change takes to show."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.browser.chromium import AT_REST, settle

RESULT = """() => [
    document.querySelector("h3")?.innerText,
    document.querySelectorAll("figcaption")[1]?.innerText,
]"""
_COMPLETE = f"""() => ({AT_REST})() && ["importance", "quality", "memory"].every(
    key => document.querySelector(`.st-key-${{key}} .js-plotly-plot .main-svg`))"""
_PATIENCE = 120_000


@dataclass(frozen=True)
class Seconds:
    """Until the result is there (the sentence and its crop), and until all is at rest."""

    shown: float
    complete: float


def sentence(page: Page) -> str:
    return page.locator("h3").first.inner_text()


def opened(page: Page, url: str) -> Seconds:
    """From asking for the workbench's address: until its first sentence, and its last chart."""
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_function(f"() => ({RESULT})().every(Boolean)", timeout=_PATIENCE)
    shown = time.perf_counter() - started
    page.wait_for_function(_COMPLETE, polling=10, timeout=_PATIENCE)
    return Seconds(shown, time.perf_counter() - started)


def changed(page: Page, act: Callable[[], None]) -> Seconds:
    """From what a visitor does until the sentence and the crop's figures are others.

    Figures that stay as they are, rounded, count once the page is at rest.
    """
    before = page.evaluate(RESULT)
    started = time.perf_counter()
    act()
    page.wait_for_function(
        f"""before => {{
            const [sentence, figures] = ({RESULT})();
            return sentence !== before[0] && (figures !== before[1] || ({AT_REST})());
        }}""",
        arg=before,
        timeout=_PATIENCE,
    )
    shown = time.perf_counter() - started
    settle(page, quiet_ms=0)
    return Seconds(shown, time.perf_counter() - started)


def slider(page: Page, label: str) -> Locator:
    return page.get_by_role("slider", name=label)


def press(page: Page, label: str, key: str) -> Seconds:
    """Press a key on a slider of the sidebar."""
    slider(page, label).focus()
    return changed(page, lambda: page.keyboard.press(key))


def click(page: Page, label: str, value: float) -> Seconds:
    """Click where `value` lies on a slider of the sidebar."""
    thumb = slider(page, label)
    low, high = (float(thumb.get_attribute(end) or 0) for end in ("min", "max"))
    track = page.get_by_role("group", name=label).locator("> div")
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    assert box is not None
    x = box["x"] + 1 + (box["width"] - 2) * (value - low) / (high - low)
    seconds = changed(page, lambda: page.mouse.click(x, box["y"] + box["height"] / 2))
    assert float(thumb.input_value()) == value
    return seconds
