"""Files that a visitor drops and takes along, and the region of a picture of one's own."""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from pages.parts.figures.region import Region
from quantlib.imaging.samples import load_sample
from tests.browser.chromium import settle

TURNED = 6  # EXIF: what lies on its right side


def photograph(width: int, height: int) -> bytes:
    """A JPEG that stands upright, `width` by `height`, once its EXIF rotation is applied."""
    image = Image.fromarray(load_sample("coffee").rgb).resize((height, width))
    exif = Image.Exif()
    exif[0x0112] = TURNED
    image.save(buffer := io.BytesIO(), "JPEG", quality=85, exif=exif)
    return buffer.getvalue()


def drop(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": content}
    )
    expect(picker(page, name)).to_be_visible(timeout=30_000)
    settle(page)


def picker(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=f"Region of the picture: {name}")


def region(page: Page) -> Region:
    found = Region.of(page.evaluate("new URL(location).searchParams.get('region') ?? ''"))
    assert found is not None
    return found


def changed(page: Page, before: Region) -> Region:
    """The region, once it is another."""
    page.wait_for_function(
        "old => !location.search.includes(old)", arg=before.text.replace(",", "%2C")
    )
    settle(page)
    return region(page)


def downloaded(page: Page, label: str | re.Pattern[str]) -> tuple[str, bytes]:
    """The name and the content of what a button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
