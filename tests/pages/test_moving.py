"""What moves on Importance: the tree that grows is a Huffman tree, the shift loses no bit."""

import numpy as np
import pytest

from pages.parts.importance.moving import lengths, shifting, unions
from quantlib.coding.prefix_code import code_lengths


@pytest.mark.parametrize("seed", range(20))
def test_the_tree_is_as_short_as_the_library_s_code(seed: int):
    counts = np.random.default_rng(seed).integers(0, 40, 8)
    found = lengths(unions(counts.tolist()), len(counts))
    assert np.dot(found, counts) == np.dot(code_lengths(counts).astype(int), counts)
    assert all((length > 0) == (count > 0) for length, count in zip(found, counts, strict=True))


@pytest.mark.parametrize("counts", [[], [0, 0], [7], [0, 7, 0]])
def test_one_symbol_needs_no_tree(counts: list[int]):
    assert unions(counts) == []


@pytest.mark.parametrize("wide", [-32, -3, 0, 5, 31])
def test_what_stays_and_what_falls_off_are_the_code_and_the_error(wide: int):
    for step in range(4):
        stays, fallen = (
            "".join(trace["text"])  # type: ignore[index]
            for trace in shifting(wide, 3, 3, step).data
        )
        assert stays == format((wide >> step) & ((1 << (6 - step)) - 1), f"0{6 - step}b")
        assert fallen == (format(wide & ((1 << step) - 1), f"0{step}b") if step else "")
