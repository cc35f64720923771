"""A real Chromium, and when a Streamlit page in it has come to rest."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

AT_REST = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app?.dataset.testConnectionState === "CONNECTED"
        && app.dataset.testScriptState === "notRunning"
        && !document.querySelector('[data-testid="stSkeleton"]');
}"""
_QUIET_FOR = f"""(milliseconds) => {{
    if (!({AT_REST})()) {{ window.quietSince = undefined; return false; }}
    window.quietSince ??= performance.now();
    return performance.now() - window.quietSince >= milliseconds;
}}"""


def find_chromium() -> str:
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise RuntimeError(
        "The browser tests need Chromium: install it, set CHROMIUM to its path, or use make test."
    )


@contextmanager
def launch() -> Iterator[Browser]:
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page, seconds: float = 240, quiet_ms: int = 400) -> None:
    """Waits until the page is connected, filled in, and its script at rest for `quiet_ms`."""
    page.evaluate("window.quietSince = undefined")
    page.wait_for_function(_QUIET_FOR, arg=quiet_ms, polling=10, timeout=seconds * 1000)


def visit(page: Page, url: str, seconds: float = 240) -> None:
    page.goto(url, timeout=seconds * 1000)
    settle(page, seconds)


def fits(page: Page) -> bool:
    """Whether neither the page nor a picture on it reaches beyond the right edge of the window."""
    size = page.viewport_size
    assert size is not None
    boxes = [picture.bounding_box() for picture in page.get_by_role("img").all()]
    return page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth + 1") and (
        all(box is None or box["x"] + box["width"] <= size["width"] + 1 for box in boxes)
    )
