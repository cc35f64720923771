"""The viewer as it is seen on a page that has one: what its panes show, to the pixel."""

import io
import math
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, expect

HEADER = 64  # CSS pixels


def stage(page: Page) -> Locator:
    return page.locator(".viewer .stage")


def still(page: Page) -> None:
    expect(stage(page)).to_have_attribute("aria-busy", "false")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    still(page)


def zoom_to(page: Page, factor: str) -> None:
    """By keys, from whatever it is."""
    stage(page).focus()
    press(page, "0")
    for _ in range(12):
        if page.locator(".factor").inner_text() == factor:
            return
        press(page, "+")
    pytest.fail(f"no zoom of {factor}")


def factor(page: Page) -> int:
    return int(page.locator(".factor").inner_text().removesuffix(" %"))


def uncovered(page: Page) -> FloatRect:
    """The box of the stage, which is scrolled out from under the bar with the pages' names."""
    still(page)
    around = stage(page).bounding_box()
    assert around is not None
    if (hidden := HEADER - around["y"]) > 0:
        page.get_by_test_id("stMain").evaluate("(e, by) => e.scrollBy(0, -by)", math.ceil(hidden))
        around = stage(page).bounding_box()
        assert around is not None
    return around


def seen(page: Page) -> list[np.ndarray]:
    """What the screen shows in every pane, in its own pixels, as (h, w, 3)."""
    around = uncovered(page)
    corner = {axis: around[axis] // 2 * 2 for axis in "xy"}  # in whole device pixels, at 1.5 too
    size = {"width": around["width"] + 2, "height": around["height"] + 2}
    png = page.screenshot(clip=FloatRect(**corner, **size))
    shot = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    ratio = page.evaluate("devicePixelRatio")
    found = []
    for canvas in page.locator(".face canvas").all():
        box = canvas.bounding_box()
        assert box is not None
        left, top = (int((box[axis] - corner[axis]) * ratio + 0.5) for axis in "xy")
        width, height = canvas.evaluate("c => [c.width, c.height]")
        found.append(shot[top : top + height, left : left + width])
        assert found[-1].shape == (height, width, 3), "the pane is not wholly on the screen"
    return found


@dataclass(frozen=True)
class Place:
    """Where in a picture, enlarged `zoom` times, the top left corner of a pane lies."""

    x: int
    y: int

    @classmethod
    def of(cls, pane: np.ndarray, rgb: np.ndarray, zoom: int) -> "Place":
        """Found from the pixels alone; and all others have to be where they then belong."""
        down, across = (_first_edge(pane[:, 0]), _first_edge(pane[0]))
        ((y, x),) = np.argwhere((rgb == pane[down, across]).all(-1))
        place = cls(int(x) * zoom - across, int(y) * zoom - down)
        assert (pane == place.cut(rgb, zoom, pane.shape)).all()
        return place

    @classmethod
    def middle(cls, pane: np.ndarray, rgb: np.ndarray, zoom: int) -> "Place":
        """Where the middle of the picture is that of the pane."""
        x, y = (-((pane.shape[axis] - zoom * rgb.shape[axis] + 1) // 2) for axis in (1, 0))
        return cls(x, y)

    def cut(self, rgb: np.ndarray, zoom: int, shape: tuple[int, ...]) -> np.ndarray:
        enlarged = rgb.repeat(zoom, 0).repeat(zoom, 1)
        return enlarged[self.y : self.y + shape[0], self.x : self.x + shape[1]]


def _first_edge(line: np.ndarray) -> int:
    return int(np.flatnonzero((line[1:] != line[:-1]).any(-1))[0]) + 1


def middle_of(target: Locator, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
    box = target.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def faces(page: Page) -> Locator:
    return page.locator(".face")


def whole(pane: np.ndarray, zoom: int, size: tuple[int, int]) -> np.ndarray:
    """The part of a pane that shows the picture, where that is seen as a whole."""
    height, width = (side * zoom for side in size)
    top, left = (pane.shape[0] - height + 1) // 2, (pane.shape[1] - width + 1) // 2
    return pane[top : top + height, left : left + width]
