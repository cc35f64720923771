import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding import huffman
from quantlib.errors import QuantlibError
from quantlib.quantizers import dqa
from quantlib.quantizers.dqa import DQATensor, encode, fit_dqa
from quantlib.quantizers.uniform import fit_uniform
from tests.examples import examples

F32 = np.float32
NORMAL = float(np.finfo(F32).tiny)


def algorithm_1(x: np.ndarray, n: int, m: int, important: np.ndarray, axis: int):
    """Codes, shifting errors k and steps Δ of every channel, one by one, in float32."""
    x = np.moveaxis(x, axis, 0)
    codes, lost, steps = np.zeros(x.shape, int), np.zeros(x.shape, int), []
    for c, channel in enumerate(x):
        bits = n + m if important[c] else n
        step = F32(np.max(np.abs(channel), initial=0)) / F32(2 ** (bits - 1))
        step = F32(1) if step == 0 else step
        q = np.clip(np.rint(channel / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(int)
        if important[c]:
            lost[c] = q & (2**m - 1)
            q = q >> m
        codes[c] = q
        steps.append(step)
    return np.moveaxis(codes, 0, axis), np.moveaxis(lost, 0, axis), np.array(steps, F32)


def algorithm_2(codes, lost, steps, m, important, axis):
    """Δ_n·(code + k/2^m) on important channels, Δ_n·code elsewhere; and Δ·q', in float32."""
    codes, lost = np.moveaxis(codes, axis, 0), np.moveaxis(lost, axis, 0)
    wide, printed = np.zeros(codes.shape, F32), np.zeros(codes.shape, F32)
    for c in range(len(codes)):
        if important[c]:
            wide[c] = steps[c] * (codes[c] * 2**m + lost[c]).astype(F32)
            printed[c] = steps[c] * F32(2**m) * (codes[c] + lost[c] / 2**m).astype(F32)
        else:
            wide[c] = printed[c] = steps[c] * codes[c].astype(F32)
    return np.moveaxis(wide, 0, axis), np.moveaxis(printed, 0, axis)


@st.composite
def cases(draw, largest: float = 1e6, min_side: int = 0):
    shape = draw(array_shapes(min_dims=1, max_dims=5, min_side=min_side, max_side=5))
    values = st.floats(-largest, largest, width=32) | st.sampled_from([0.0, 1.0, -1.0])
    x = draw(arrays(F32, shape, elements=values))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    channels = shape[axis]
    masks = st.lists(st.booleans(), min_size=channels, max_size=channels)
    mask = draw(st.just([False] * channels) | st.just([True] * channels) | masks)
    return x, draw(st.integers(2, 8)), draw(st.integers(0, 4)), np.array(mask, bool), axis


def check(x: np.ndarray, n: int, m: int, mask: np.ndarray, axis: int) -> None:
    codes, lost, steps = algorithm_1(x, n, m, mask, axis)
    wanted, printed = algorithm_2(codes, lost, steps, m, mask, axis)
    tensor, important = torch.from_numpy(x), torch.from_numpy(mask)
    coded = encode(tensor, n, m, important, axis)
    values = coded.decode()
    assert values.dtype == torch.float32
    np.testing.assert_array_equal(values.numpy(), wanted, strict=True)
    if steps.size == 0 or steps.max() < np.finfo(F32).max / 2 ** (n + m):
        np.testing.assert_array_equal(values.numpy(), printed)

    payload = coded.to_bytes()
    back = DQATensor.from_bytes(payload)
    assert back.to_bytes() == payload
    np.testing.assert_array_equal(back.decode().numpy(), wanted, strict=True)
    assert coded.nbytes == len(payload) == coded.sizes.total == back.sizes.total

    quantizer = fit_dqa(tensor, n, m, important, axis)
    measured, sizes = quantizer.measure(tensor)
    assert sizes == coded.sizes
    assert sizes.fp32 == 4 * x.size
    np.testing.assert_array_equal(measured.numpy(), wanted, strict=True)
    np.testing.assert_array_equal(quantizer(tensor).numpy(), wanted, strict=True)
    narrow = quantizer.to_int(tensor).numpy()
    np.testing.assert_array_equal(narrow, codes)
    if narrow.size:
        assert narrow.min() >= -(2 ** (n - 1)) and narrow.max() < 2 ** (n - 1)
    rows = np.moveaxis(lost, axis, 0)
    stored = [huffman.decode(payload) for payload in coded.refinement]
    assert len(stored) == (int(mask.sum()) if m else 0)
    for row, symbols in zip(rows[mask], stored, strict=False):
        np.testing.assert_array_equal(row.ravel(), symbols)


@examples(300)
@given(cases())
def test_encoding_follows_both_algorithms_bit_for_bit(case):
    check(*case)


@examples(100)
@given(cases(largest=float(np.finfo(F32).max), min_side=1))
def test_extreme_values(case):
    check(*case)


@pytest.mark.parametrize("n", range(2, 9))
@pytest.mark.parametrize("m", range(5))
def test_every_width_and_every_mask(n, m):
    x = np.random.default_rng(n * 5 + m).laplace(size=(2, 5, 3, 4)).astype(F32)
    for mask in ([False] * 5, [True] * 5, [True, False, False, True, False]):
        check(x, n, m, np.array(mask), 1)


@pytest.mark.parametrize(
    "values",
    [
        [1e-45, -1e-45, 0, 1e-44],
        [NORMAL, -NORMAL / 3, NORMAL / 7, 0],
        [1e38, -3e38, 1e-38, 1],
        [3.4028234e38, 3.4028234e38, -1e38, 0],
        [0, 0, 0, -0.0],
    ],
    ids=["denormal", "smallest normal", "1e38", "largest", "zero"],
)
@pytest.mark.parametrize("important", [True, False])
def test_the_ends_of_float32(values, important):
    x = np.array([values, [1, -1, 0.5, 0.1]], F32)
    for n in (2, 3, 8):
        codes, lost, steps = algorithm_1(x, n, 4, np.array([important, False]), 0)
        wanted, _ = algorithm_2(codes, lost, steps, 4, np.array([important, False]), 0)
        coded = encode(torch.from_numpy(x), n, 4, torch.tensor([important, False]), 0)
        np.testing.assert_array_equal(coded.decode().numpy(), wanted)
        assert np.isfinite(wanted).all()


def test_no_extra_bits_is_the_direct_quantizer():
    x = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([True, False, True, True])
    assert torch.equal(encode(x, 3, 0, mask).decode(), fit_uniform(x, 3, 1)(x))
    assert encode(x, 3, 0, mask).sizes.refinement == 0


def test_the_error_on_important_channels_falls_by_4_to_the_m():
    x = torch.rand(1, 2, 200, 200, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for m in (1, 2, 3):
        mask = torch.tensor([True, False])
        error = (encode(x, 5, m, mask).decode() - x).square().mean((0, 2, 3))
        plain = (encode(x, 5, 0, mask).decode() - x).square().mean((0, 2, 3))
        assert error[1] == plain[1]
        assert 0.8 * 4**m < plain[0] / error[0] < 1.35 * 4**m


def test_sizes_by_hand():
    """Two channels of eight elements, one of them important; every part counted on fingers."""
    x = torch.tensor([[-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75]] * 2)
    coded = encode(x, 3, 1, torch.tensor([True, False]), channel_dim=0)
    # 16 codes of 3 bits; k is 0 throughout: varint, largest symbol, width 0, no data
    assert (coded.sizes.codes, coded.sizes.refinement, coded.sizes.scales) == (6, 0, 8)
    # magic, four bytes, two sides, one byte of mask, length and three bytes of the payload
    assert coded.sizes.tables == 8 + 8 + 1 + 4 + 3
    assert coded.sizes.fp32 == 64
    assert coded.nbytes == len(coded.to_bytes()) == 38


def test_a_numpy_picture_and_a_list_are_taken():
    x = np.linspace(-1, 1, 12, dtype=F32).reshape(1, 2, 6)
    coded = dqa.encode(torch.from_numpy(x).requires_grad_(), 4, 2, [True, False])  # type: ignore[arg-type]
    assert coded.decode().shape == (1, 2, 6)


@pytest.mark.parametrize("bits", [0, 1, 9, 17, -3])
def test_bits_out_of_range(bits):
    with pytest.raises(QuantlibError, match=f"DQA takes 2 to 8 bits, not {bits}"):
        encode(torch.ones(1, 2), bits, 3, torch.ones(2, dtype=torch.bool))


@pytest.mark.parametrize("extra", [-1, 5])
def test_extra_bits_out_of_range(extra):
    with pytest.raises(QuantlibError, match=f"DQA takes 0 to 4 extra bits, not {extra}"):
        encode(torch.ones(1, 2), 3, extra, torch.ones(2, dtype=torch.bool))


@pytest.mark.parametrize(("bits", "extra"), [(3.0, 3), (3, 1.5), (True, 3)])
def test_bits_that_are_no_whole_numbers(bits, extra):
    with pytest.raises(QuantlibError):
        encode(torch.ones(1, 2), bits, extra, torch.ones(2, dtype=torch.bool))


@pytest.mark.parametrize(
    "mask",
    [
        torch.ones(3, dtype=torch.bool),
        torch.ones(1, dtype=torch.bool),
        torch.ones(2),
        torch.tensor([0, 1]),
        torch.ones(2, 1, dtype=torch.bool),
        torch.tensor(True),
    ],
)
def test_masks_that_do_not_fit(mask):
    with pytest.raises(QuantlibError, match="bool mask of 2 entries"):
        encode(torch.ones(1, 2), 3, 3, mask)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("important", [True, False])
def test_values_that_are_not_finite(wrong, important):
    x = torch.ones(1, 2, 4)
    x[0, 1, 2] = wrong
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        encode(x, 3, 3, torch.tensor([False, important]))


@pytest.mark.parametrize(("x", "axis"), [(torch.tensor(1.0), 1), (torch.ones(2, 2), 2)])
def test_a_channel_axis_that_does_not_exist(x, axis):
    with pytest.raises(QuantlibError, match="does not exist"):
        encode(x, 3, 3, torch.ones(1, dtype=torch.bool), axis)


def payload() -> bytes:
    x = torch.randn(1, 3, 5, 4, generator=torch.Generator().manual_seed(3))
    return encode(x, 3, 3, torch.tensor([True, False, True])).to_bytes()


def decoded_or_refused(payload: bytes) -> None:
    """Damage may go unnoticed in a value, but it never raises anything but QuantlibError."""
    try:
        with np.errstate(over="ignore"):
            DQATensor.from_bytes(payload).decode()
    except QuantlibError as error:
        assert "\n" not in str(error)


@examples(400)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_bytes(damage):
    broken = bytearray(payload())
    for at, byte in damage:
        broken[at % len(broken)] = byte
    decoded_or_refused(bytes(broken))


def test_every_byte_with_every_telling_value():
    whole = payload()
    for at in range(len(whole)):
        for byte in (0, 1, 2, 3, 5, 8, 127, 128, 254, 255):
            decoded_or_refused(whole[:at] + bytes([byte]) + whole[at + 1 :])


def test_cut_off_or_longer():
    whole = payload()
    for length in range(len(whole)):
        with pytest.raises(QuantlibError):
            DQATensor.from_bytes(whole[:length])
    with pytest.raises(QuantlibError, match="damaged"):
        DQATensor.from_bytes(whole + b"\0")


@examples(200)
@given(st.binary(max_size=200))
def test_random_bytes(tail):
    decoded_or_refused(tail)
    decoded_or_refused(b"DQA1" + tail)


def test_impossible_shapes():
    huge = 2**32 - 1
    for shape in [(1, 0, huge, huge, huge), (1,) * 80, (1, huge, huge), (1, 2**31, 2**31, 4)]:
        head = b"DQA1" + bytes([3, 0, len(shape), 0])
        sides = struct.pack(f"<{len(shape)}I", *shape)
        with pytest.raises(QuantlibError):
            DQATensor.from_bytes(head + sides + b"\x80" + struct.pack("<f", 1)).decode()


def test_a_limit_of_the_caller():
    assert DQATensor.from_bytes(payload(), limit=60).decode().shape == (1, 3, 5, 4)
    with pytest.raises(QuantlibError, match="60 symbols where 59 are allowed"):
        DQATensor.from_bytes(payload(), limit=59)


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_steps_that_no_encoder_writes(step):
    x = torch.ones(1, 1)
    whole = encode(x, 3, 0, torch.tensor([False])).to_bytes()
    broken = whole[:17] + struct.pack("<f", step) + whole[21:]
    assert len(broken) == len(whole)
    with pytest.raises(QuantlibError, match="damaged"):
        DQATensor.from_bytes(broken)


def test_a_refinement_of_another_channel_length_or_width():
    x = torch.randn(1, 1, 6)
    coded = encode(x, 3, 2, torch.tensor([True]))
    for symbols in (np.zeros(5, np.uint8), np.full(6, 4, np.uint8)):
        wrong = DQATensor(
            coded.shape,
            coded.channel_dim,
            coded.bits,
            coded.extra_bits,
            coded.important,
            coded.steps,
            coded.codes,
            (huffman.encode(symbols),),
        )
        with pytest.raises(QuantlibError, match="refinement of a DQA tensor is damaged"):
            DQATensor.from_bytes(wrong.to_bytes()).decode()
