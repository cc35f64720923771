"""Residual branches in bands of rows: what the whole picture gives, whatever the bands."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from quantlib.runtime import branches
from quantlib.runtime.branches import Branch, bands
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.lowering import lower
from quantlib.runtime.side_by_side import side_by_side
from tests.examples import examples


class Residual(nn.Module):
    """Two convolutions around a rectifier, their sum with the input, and a last convolution."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 6, first, padding=first // 2)
        self.second = nn.Conv2d(6, 4, second, padding=second // 2)
        self.last = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x + self.second(self.first(x).relu()))


@pytest.fixture(autouse=True)
def any_size_is_banded(monkeypatch):
    monkeypatch.setattr(branches, "PIXELS", 1)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@examples(40)
@given(
    st.sampled_from([(1, 1), (1, 3), (3, 3), (5, 3), (3, 7)]),
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(2, 5),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_bands_give_what_the_whole_gives(sizes, pictures, height, width, threads, kernels, random):
    torch.manual_seed(random.randrange(1 << 30))
    network = Residual(*sizes).requires_grad_(False)
    grids = {name: CodeGrid.over(-3, 3) for name in ("first", "second", "last")}
    made = lower(network, grids, kernels).network
    assert any(isinstance(module, Branch) for module in made.modules())
    x = torch.randn(pictures, 4, height, width)
    torch.set_num_threads(1)
    whole = made(x)
    torch.set_num_threads(threads)
    assert torch.equal(made(x), whole)


def test_a_branch_that_moves_by_two_stays_as_it_is():
    network = Residual(3, 3).requires_grad_(False)
    network.first.stride, network.second = (2, 2), nn.ConvTranspose2d(6, 4, 2, 2)  # type: ignore[assignment]
    made = lower(network, {"first": CodeGrid.over(-3, 3)}).network
    assert not any(isinstance(module, Branch) for module in made.modules())


@given(st.integers(1, 5), st.integers(1, 60), st.integers(1, 9), st.integers(1, 7))
def test_bands_cover_every_row_once(pictures, height, width, threads):
    found = [
        (picture, row)
        for picture, start, end in bands(pictures, height, width, threads)
        for row in range(start, end)
    ]
    assert found == [(picture, row) for picture in range(pictures) for row in range(height)]


def test_operations_side_by_side_have_a_thread_each():
    torch.set_num_threads(3)
    seen: list[int] = []
    side_by_side(lambda _: seen.append(torch.get_num_threads()), range(4))
    assert seen == [1] * 4
    assert torch.get_num_threads() == 3


def test_what_goes_wrong_in_a_part_is_heard_of():
    torch.set_num_threads(2)

    def work(part: int) -> None:
        if part:
            raise ValueError("in the second part")

    with pytest.raises(ValueError, match="second part"):
        side_by_side(work, range(2))
