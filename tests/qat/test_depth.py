import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantlib.errors import QuantlibError
from quantlib.qat.depth import DEPTHS, importance_order, kept_blocks

shortcuts = st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40)


@given(shortcuts)
def test_blocks_are_ordered_by_rising_shortcut(values):
    order = importance_order(torch.tensor(values))
    assert order == sorted(range(len(values)), key=lambda i: values[i])


@given(shortcuts)
def test_depths_keep_their_share_and_lie_in_one_another(values):
    order = importance_order(torch.tensor(values))
    kept = {depth: kept_blocks(order, depth) for depth in DEPTHS}
    for depth, share in (("full", 1), ("half", 2), ("quarter", 4)):
        assert len(kept[depth]) == max(1, len(values) // share)
        assert kept[depth] == sorted(set(kept[depth]))
        skipped = set(range(len(values))) - set(kept[depth])
        assert all(values[i] <= values[j] for i in kept[depth] for j in skipped)
    assert set(kept["quarter"]) <= set(kept["half"]) <= set(kept["full"])
    assert kept["full"] == list(range(len(values)))


def test_a_depth_that_is_not_there():
    with pytest.raises(QuantlibError, match="'eighth'"):
        kept_blocks([0, 1], "eighth")
