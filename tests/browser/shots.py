"""Saves a picture of every page, wide and narrow, light and dark: python -m tests.browser.shots"""

import argparse
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from tests.browser.chromium import launch, settle, visit
from tests.browser.server import ROOT, serve

WIDTHS = {1280: 900, 390: 844}
SCHEMES = ("light", "dark")
MAX_HEIGHT = 12_000

# Streamlit scrolls its main section, not the document, so the window has to grow to show it all.
_CONTENT_HEIGHT = """() => Math.max(...[...document.querySelectorAll(
    '[data-testid="stMain"], [data-testid="stSidebarContent"]')].map(part => part.scrollHeight))"""


def shoot(browser: Browser, base: str, stem: str, width: int, scheme: str, out: Path) -> Path:
    size = ViewportSize(width=width, height=WIDTHS[width])
    context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        visit(page, f"{base}/{stem}", seconds=300)
        if page.get_by_text("Page not found").is_visible():  # the default page lives at /
            visit(page, base, seconds=300)
        height = min(max(page.evaluate(_CONTENT_HEIGHT), size["height"]), MAX_HEIGHT)
        page.set_viewport_size(ViewportSize(width=width, height=height))
        settle(page)
        path = out / f"{stem}-{width}-{scheme}.png"
        page.screenshot(path=path)
        return path
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="file stems in pages/ (default: every page)")
    parser.add_argument("--app", type=Path, default=ROOT / "app.py")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    choices = parser.parse_args()

    app = choices.app.resolve()
    stems = choices.pages or sorted(path.stem for path in (app.parent / "pages").glob("*.py"))
    choices.out.mkdir(parents=True, exist_ok=True)
    with serve(app) as server, launch() as browser:
        opened = browser.new_page()
        visit(opened, server.url, seconds=300)  # from here on Streamlit knows the router
        opened.close()
        for stem, width, scheme in product(stems, WIDTHS, SCHEMES):
            print(shoot(browser, server.url, stem, width, scheme, choices.out))


if __name__ == "__main__":
    main()
