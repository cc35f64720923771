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
        ("0801_x4", "0801"),
        ("0801X4", "0801"),
        ("0801-x8", "0801"),
        ("0801x4m", "0801"),
        ("a_GT", "a"),
        ("a_gt", "a"),
        ("a_bicLRx2", "a"),
        ("baby_LRBI_x2", "baby"),
        ("baby_HR_x2", "baby"),
        ("Canon_001_LR4", "Canon_001"),
        ("x2", "x2"),
        ("cafe\u0301_x2", "caf\u00e9"),
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
        (["baby_GT.png", "bird_GT.png"], ["baby.png", "bird.png"]),
        (["baby.png", "bird.png"], ["baby_bicLRx2.png", "bird_bicLRx2.png"]),
        (["baby.png", "bird.png"], ["baby_x2.png", "birdX2.png"]),
        (["baby_HR_x2.png", "bird_HR_x2.png"], ["baby_LRBI_x2.png", "bird_LRBI_x2.png"]),
        (["baby.bmp", "bird.tif"], ["baby.PNG", "bird.TIFF"]),
    ],
)
def test_pairs_by_name(tmp_path, high, low):
    sides = folder(tmp_path / "high", *high), folder(tmp_path / "low", *low)
    folder(sides[0], "notes.txt", "Thumbs.db", ".DS_Store", "._baby.png")
    folder(sides[1], "desktop.ini", "._babyx2.png")
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


def test_a_folder_for_each_scale(tmp_path):
    high = folder(tmp_path / "high", "baby.png")
    folder(tmp_path / "low")
    for inside, name in (("X2", "babyx2.png"), ("x4", "babyx4.png")):
        folder(tmp_path / "low" / inside, name)
    for scale in (2, 4):
        ((_, _, found),) = find_pairs(high, tmp_path / "low", scale)
        assert found.name == f"babyx{scale}.png"
    with pytest.raises(QuantlibError, match=r"No picture of .* has its ×3 reduction"):
        find_pairs(high, tmp_path / "low", 3)


def test_the_same_letter_composed_and_decomposed(tmp_path):
    high = folder(tmp_path / "high", "caf\u00e9.png")
    low = folder(tmp_path / "low", "cafe\u0301x2.png")
    assert [name for name, _, _ in find_pairs(high, low, 2)] == ["caf\u00e9"]


def test_a_picture_downloaded_twice_is_one(tmp_path):
    high, low = folder(tmp_path / "high", "baby.png"), folder(tmp_path / "low", "babyx2.png")
    folder(high, "baby (1).png")
    assert len(find_pairs(high, low, 2)) == 1


@pytest.mark.parametrize("names", [["babyx2.png", "baby.png"], ["baby.png", "baby.jpg"]])
def test_two_files_for_one_picture(tmp_path, names):
    high, low = folder(tmp_path / "high", "baby.png"), folder(tmp_path / "low", *names)
    with pytest.raises(QuantlibError, match=r"baby.* are both named baby; remove one"):
        find_pairs(high, low, 2)


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
