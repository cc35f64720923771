from pathlib import Path

import pytest

from quantlib.datasets.paired_folders import find_pairs, picture_key
from quantlib.errors import QuantlibError


def folder(path: Path, *names: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).touch()
    return path


@pytest.mark.parametrize(
    ("stem", "key"),
    [
        ("baby", "baby"),
        ("babyx2", "baby"),
        ("0801x4", "0801"),
        ("img_001_SRF_2_LR", "img_001"),
        ("img_001_SRF_4_HR", "img_001"),
        ("baby_HR", "baby"),
        ("ax2b", "ax2b"),
        ("x_LR_1", "x_LR_1"),
    ],
)
def test_keys(stem, key):
    assert picture_key(stem) == key


@pytest.mark.parametrize(
    ("high", "low"),
    [
        (["baby.png", "bird.png"], ["babyx2.png", "birdx2.png"]),
        (["baby.png", "bird.png"], ["bird.png", "baby.png"]),
        (["baby.JPG", "bird.webp"], ["babyx2.png", "birdx2.jpeg"]),
        (["baby_HR.png", "bird_HR.png"], ["baby_LR.png", "bird_LR.png"]),
        (["baby_SRF_2_HR.png", "bird_SRF_2_HR.png"], ["baby_SRF_2_LR.png", "bird_SRF_2_LR.png"]),
    ],
)
def test_pairs_by_name(tmp_path, high, low):
    sides = folder(tmp_path / "high", *high), folder(tmp_path / "low", *low)
    folder(sides[0], "notes.txt", "thumbs.db")
    pairs = find_pairs(*sides, 2)
    assert [name for name, _, _ in pairs] == ["baby", "bird"]
    for name, original, reduction in pairs:
        assert original.parent == sides[0] and original.name in high
        assert reduction.parent == sides[1] and reduction.name in low
        assert original.name.startswith(name) and reduction.name.startswith(name)


def test_both_sides_in_one_folder(tmp_path):
    names = ["a_SRF_2_HR.png", "a_SRF_2_LR.png", "b_SRF_2_HR.png", "b_SRF_2_LR.png"]
    both = folder(tmp_path, *names)
    found = [(high.name, low.name) for _, high, low in find_pairs(both, both, 2)]
    assert found == [tuple(names[:2]), tuple(names[2:])]


def test_reductions_by_several_scales_in_one_folder(tmp_path):
    high = folder(tmp_path / "high", "baby.png")
    low = folder(tmp_path / "low", "babyx2.png", "babyx3.png", "babyx4.png")
    for scale in (2, 3, 4):
        assert [p.name for _, _, p in find_pairs(high, low, scale)] == [f"babyx{scale}.png"]


@pytest.mark.parametrize("low", ["max2x2.png", "max2.png"])
def test_names_that_end_like_a_suffix(tmp_path, low):
    high = folder(tmp_path / "high", "max2.png", "max.png")
    lows = folder(tmp_path / "low", low, "maxx2.png")
    found = {name: reduction.name for name, _, reduction in find_pairs(high, lows, 2)}
    assert found == {"max": "maxx2.png", "max2": low}


def test_the_reduction_by_another_scale_is_none(tmp_path):
    high = folder(tmp_path / "high", "baby.png")
    low = folder(tmp_path / "low", "babyx3.png")
    with pytest.raises(QuantlibError, match=r"No picture of .* has its ×2 reduction"):
        find_pairs(high, low, 2)


def test_nothing_in_common(tmp_path):
    high, low = folder(tmp_path / "high", "baby.png"), folder(tmp_path / "low", "bird.png")
    with pytest.raises(QuantlibError, match="the files need the same names"):
        find_pairs(high, low, 2)
    with pytest.raises(QuantlibError, match="the files need the same names"):
        find_pairs(high, folder(tmp_path / "empty"), 2)


def test_an_original_without_its_reduction(tmp_path):
    high = folder(tmp_path / "high", "baby.png", "bird.png")
    low = folder(tmp_path / "low", "babyx2.png")
    with pytest.raises(QuantlibError, match=r"bird of .* has no reduction"):
        find_pairs(high, low, 2)


def test_reductions_without_an_original_are_left_out(tmp_path):
    high = folder(tmp_path / "high", "baby.png")
    low = folder(tmp_path / "low", "babyx2.png", "birdx2.png")
    assert [name for name, _, _ in find_pairs(high, low, 2)] == ["baby"]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("high", "low", "scale", "count"),
    [
        ("set5/HR", "set5/LR_bicubic/X2", 2, 5),
        ("set5/HR", "set5/LR_bicubic/X4", 4, 5),
        ("set14/SRF_2", "set14/SRF_2", 2, 14),
        ("set14/SRF_4", "set14/SRF_4", 4, 14),
    ],
)
def test_the_benchmarks(shared_data, high, low, scale, count):
    pairs = find_pairs(shared_data / high, shared_data / low, scale)
    assert len(pairs) == count
    assert not {original for _, original, _ in pairs} & {reduction for _, _, reduction in pairs}
