"""What the viewer takes and gives on Python's side, without a browser."""

from dataclasses import asdict

import numpy as np
import pytest

from pages.parts.figures.viewer import GAINS, Pane, View, viewer
from quantlib.imaging.reading import png_bytes
from quantlib.shipped import ASSETS


def png(height: int = 4, width: int = 6) -> bytes:
    return png_bytes(np.zeros((height, width, 3), np.uint8))


def show(*panes: Pane) -> None:
    viewer(panes, key="v", alt="Black")


@pytest.mark.parametrize("count", [0, 7])
def test_one_to_six_panes_are_shown(count):
    with pytest.raises(ValueError, match="one to 6 panes"):
        show(*[Pane("", png())] * count)


def test_pictures_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="of one size"):
        show(Pane("", png()), Pane("", png(width=7)))


def test_only_data_that_lose_nothing_are_taken():
    with pytest.raises(ValueError, match="PNG data only"):
        show(Pane("", b"\xff\xd8\xff\xe0 a JPEG"))


def test_a_label_tells_what_is_known():
    assert Pane("FP32", b"").facts == ()
    full = Pane("DQA", b"", psnr=35.444, ssim=0.91, size=2_048_000, seconds=1.5)
    assert full.facts == ("35.44 dB", "SSIM 0.9100", "2,000 KiB", "1.50 s")


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "sideways"},
        {"zoom": -1},
        {"zoom": 65},
        {"zoom": float("nan")},
        {"x": 1.01},
        {"y": "0.5"},
        {"divider": True},
        {"shown": 6},
        {"left": 0.5},
        {"difference": None},
        {"gain": 3},
        {"mode": []},
        {"gain": "10"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_view_that_a_browser_could_not_send_is_none(change):
    assert View.of(asdict(View()) | change) is None


@pytest.mark.parametrize("value", [None, [], "view", {}, {"mode": "side"}])
def test_what_is_no_view_is_none(value):
    assert View.of(value) is None


def test_a_view_comes_back_as_it_went():
    view = View("split", 4.0, 0.25, 0.75, 2, 3, 4, 0.1, "signed", 20, 5)
    assert View.of(asdict(view)) == view


def test_both_sides_know_the_same_gains():
    script = (ASSETS / "viewer" / "difference.js").read_text("utf-8")
    assert f"const GAINS = {list(GAINS)};" in script
