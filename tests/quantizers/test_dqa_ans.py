"""DQA with entropy-coded codes: plain DQA's values, its own bytes, and damaged ones."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding import ans
from quantlib.errors import QuantlibError
from quantlib.quantizers.dqa import DQATensor, fit_dqa
from quantlib.quantizers.dqa_ans import AnsDQAQuantizer, AnsDQATensor, with_coded_codes
from tests.examples import examples


def sparse(*shape: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.distributions.Laplace(0.0, 1.0).sample(torch.Size(shape)).pow(3)


@st.composite
def cases(draw):
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))
    x = draw(arrays(np.float32, shape, elements=st.floats(-1e6, 1e6, width=32) | st.just(0.0)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    mask = draw(st.lists(st.booleans(), min_size=shape[axis], max_size=shape[axis]))
    bits, extra = draw(st.integers(2, 8)), draw(st.integers(0, 4))
    return torch.from_numpy(x), bits, extra, torch.tensor(mask, dtype=torch.bool), axis


@examples(200)
@given(cases())
def test_values_are_those_of_plain_dqa_and_sizes_are_exact(case):
    plain = fit_dqa(*case)
    coded = with_coded_codes(plain)
    x, _, _, _, axis = case
    encoded = coded.encode(x)
    stored = encoded.to_bytes()
    back = AnsDQATensor.from_bytes(stored)
    wanted = plain.encode(x).decode()
    assert torch.equal(encoded.decode(), wanted) and torch.equal(back.decode(), wanted)
    assert back.to_bytes() == stored
    values, sizes = coded.measure(x)
    assert torch.equal(values, plain(x))
    assert sizes == encoded.sizes == back.sizes
    assert sizes.total == encoded.nbytes == len(stored)
    rows = np.moveaxis(plain.to_int(x).numpy(), axis, 0)
    np.testing.assert_array_equal(ans.decode(encoded.codes).ravel(), rows.ravel())


def test_codes_take_their_entropy():
    """Against the empirical entropy of every channel's codes, by NumPy alone."""
    x = sparse(1, 6, 120, 120)
    quantizer = with_coded_codes(fit_dqa(x, 4, 3, torch.arange(6) < 2))
    codes = quantizer.to_int(x)[0].flatten(1).numpy()
    counts = [np.unique(row, return_counts=True)[1] for row in codes]
    bits = sum(float(n @ np.log2(n.sum() / n)) for n in counts)
    spent = 8 * quantizer.encode(x).sizes.codes
    assert bits - 64 <= spent <= 1.01 * bits + 64
    assert spent < 4 * x.numel() / 4  # less than a quarter of the packed codes


def test_only_the_codes_are_stored_in_another_way():
    x = sparse(1, 4, 20, 20)
    plain = fit_dqa(x, 3, 2, torch.tensor([True, False, True, False]))
    encoded, packed = with_coded_codes(plain).encode(x), plain.encode(x)
    assert encoded.refinement == packed.refinement
    assert encoded.sizes.refinement == packed.sizes.refinement
    assert encoded.sizes.scales == packed.sizes.scales


def test_the_two_kinds_of_bytes_are_told_apart():
    x = sparse(1, 4, 5, 5)
    plain = fit_dqa(x, 3, 2, torch.ones(4, dtype=torch.bool))
    for stored, kind in (
        (plain.encode(x).to_bytes(), AnsDQATensor),
        (with_coded_codes(plain).encode(x).to_bytes(), DQATensor),
    ):
        with pytest.raises(QuantlibError, match="not a DQA tensor"):
            kind.from_bytes(stored)


def quantizer() -> AnsDQAQuantizer:
    return with_coded_codes(fit_dqa(sparse(1, 3, 6, 5), 3, 2, torch.tensor([True, False, True])))


def test_every_truncation_is_noticed():
    whole = quantizer().encode(sparse(1, 3, 6, 5)).to_bytes()
    for end in range(len(whole)):
        with pytest.raises(QuantlibError):
            AnsDQATensor.from_bytes(whole[:end]).decode()
    with pytest.raises(QuantlibError, match="damaged"):
        AnsDQATensor.from_bytes(whole + b"\0")


@examples(300)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_bytes_end_in_a_tensor_or_a_sentence(damage):
    broken = bytearray(quantizer().encode(sparse(1, 3, 6, 5)).to_bytes())
    for at, byte in damage:
        broken[at % len(broken)] = byte
    try:
        with np.errstate(over="ignore"):
            AnsDQATensor.from_bytes(bytes(broken)).decode()
    except QuantlibError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "rows", [np.zeros((3, 29), int), np.full((3, 30), 4), np.full((3, 30), -5)]
)
def test_codes_of_another_length_or_width(rows):
    encoded = quantizer().encode(sparse(1, 3, 6, 5))
    stored = encoded.to_bytes()
    wrong = ans.encode(rows)
    payload = struct.pack("<I", len(encoded.codes)) + encoded.codes
    assert stored.count(payload) == 1
    broken = stored.replace(payload, struct.pack("<I", len(wrong)) + wrong)
    with pytest.raises(QuantlibError, match="codes of a DQA tensor are damaged"):
        AnsDQATensor.from_bytes(broken).decode()
