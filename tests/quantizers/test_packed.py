import struct
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.noisyquant import NoisyQuantizer
from quantlib.quantizers.packed import PackedTensor
from quantlib.quantizers.pot import fit_power_of_two
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.uniform import fit_uniform
from tests.examples import examples


def noisy(x: Tensor, bits: int, axis: int | None) -> Quantizer:
    axis = 0 if axis is None else axis
    noise = torch.linspace(-0.3, 0.4, x.shape[axis])
    return NoisyQuantizer(torch.tensor(0.37), noise, BitWidth(bits), axis)


FITS: dict[str, Callable[[Tensor, int, int | None], Quantizer]] = {
    "uniform": fit_uniform,
    "unsigned": lambda x, bits, axis: fit_uniform(x, bits, axis, signed=False),
    "power-of-two": fit_power_of_two,
    "noisyquant": noisy,
}


@st.composite
def quantized(draw):
    shape = draw(array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=5))
    x = torch.from_numpy(draw(arrays(np.float32, shape, elements=st.floats(-50, 50, width=32))))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    return x, FITS[draw(st.sampled_from(sorted(FITS)))](x, draw(st.integers(2, 8)), axis)


@examples(200)
@given(quantized())
def test_bytes_decode_to_the_fake_quantization(given_quantized):
    x, quantizer = given_quantized
    values = quantizer(x)
    encoded = quantizer.encode(x)
    payload = encoded.to_bytes()
    measured, sizes = quantizer.measure(x)
    assert sizes == encoded.sizes
    assert len(payload) == sizes.total
    assert sizes.fp32 == 4 * x.numel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoded = [encoded.decode(), PackedTensor.from_bytes(payload).decode()]
    for other in (measured, *decoded):
        assert other.dtype == torch.float32
        np.testing.assert_array_equal(other.numpy(), values.numpy(), strict=True)
    assert PackedTensor.from_bytes(payload).to_bytes() == payload


def test_the_layout():
    """A reader written from the description alone: head, sides and counts, scales, codes."""
    x = torch.tensor([[1.0, -2.0, 0.5], [4.0, 0.0, -4.0]])
    payload = fit_uniform(x, 4, channel_dim=0).encode(x).to_bytes()
    head, rest = payload[:8], payload[8:]
    assert head[:4] == b"BLQ1"
    assert list(head[5:]) == [4, 2, 0]
    assert struct.unpack("<4I", rest[:16]) == (2, 3, 2, 0)
    steps = struct.unpack("<2f", rest[16:24])
    assert steps == (0.25, 0.5)
    nibbles = [n for byte in rest[24:] for n in (byte & 15, byte >> 4)][:6]
    signed = [n - 16 if n > 7 else n for n in nibbles]
    values = [step * code for step, code in zip(np.repeat(steps, 3), signed, strict=True)]
    assert values == [1.0, -2.0, 0.5, 3.5, 0.0, -4.0]


def payload_of(kind: str) -> bytes:
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(2))
    return FITS[kind](x, 5, 1).encode(x).to_bytes()


def decoded_or_refused(payload: bytes) -> None:
    """Damage may go unnoticed in a value, but it never raises anything but QuantlibError."""
    try:
        PackedTensor.from_bytes(payload).decode()
    except QuantlibError as error:
        assert "\n" not in str(error)


@examples(400)
@given(
    st.sampled_from(sorted(FITS)),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_bytes(kind, damage):
    payload = bytearray(payload_of(kind))
    for at, byte in damage:
        payload[at % len(payload)] = byte
    decoded_or_refused(bytes(payload))


@pytest.mark.parametrize("kind", sorted(FITS))
def test_every_byte_with_every_telling_value(kind):
    payload = payload_of(kind)
    for at in range(len(payload)):
        for byte in (0, 1, 2, 3, 4, 16, 17, 127, 128, 254, 255):
            decoded_or_refused(payload[:at] + bytes([byte]) + payload[at + 1 :])


@pytest.mark.parametrize("kind", sorted(FITS))
def test_cut_off_or_longer(kind):
    payload = payload_of(kind)
    for length in range(len(payload)):
        with pytest.raises(QuantlibError):
            PackedTensor.from_bytes(payload[:length])
    with pytest.raises(QuantlibError, match="damaged"):
        PackedTensor.from_bytes(payload + b"\0")


@examples(200)
@given(st.binary(max_size=200))
def test_random_bytes(payload):
    decoded_or_refused(payload)
    decoded_or_refused(b"BLQ1" + payload)


def test_impossible_shapes():
    huge = 2**32 - 1
    for shape in [(0, huge, huge, huge), (2**16,) * 4, (1,) * 80, (huge, huge)]:
        head = b"BLQ1" + bytes([1, 4, len(shape), 255])
        counts = struct.pack(f"<{len(shape) + 2}I", *shape, 1, 0)
        with pytest.raises(QuantlibError):
            PackedTensor.from_bytes(head + counts + struct.pack("<f", 1)).decode()


@pytest.mark.parametrize(("shape", "dim"), [((), 0), ((), 7), ((2, 3), 2), ((2, 3), 9)])
def test_an_axis_of_channels_that_is_not_there(shape, dim):
    head = b"BLQ1" + bytes([1, 4, len(shape), dim])
    counts = struct.pack(f"<{len(shape) + 2}I", *shape, 1, 0)
    codes = bytes((4 * int(np.prod(shape)) + 7) // 8)
    with pytest.raises(QuantlibError, match="damaged"):
        PackedTensor.from_bytes(head + counts + struct.pack("<f", 1) + codes).decode()


def test_a_limit_of_the_caller():
    stored = payload_of("uniform")
    assert PackedTensor.from_bytes(stored, limit=24).decode().shape == (2, 3, 4)
    with pytest.raises(QuantlibError, match="24 symbols where 23 are allowed"):
        PackedTensor.from_bytes(stored, limit=23)


@pytest.mark.parametrize("scale", [torch.nan, torch.inf])
def test_scales_that_are_no_numbers(scale):
    x = torch.ones(2, 2)
    payload = fit_uniform(x, 4).encode(x).to_bytes()
    broken = payload[:24] + struct.pack("<f", scale) + payload[28:]
    with pytest.raises(QuantlibError, match="damaged"):
        PackedTensor.from_bytes(broken)


def test_widths_that_have_no_packed_form():
    x = torch.randn(3, 3)
    with pytest.raises(QuantlibError, match="outside 1 to 8"):
        fit_uniform(x, 9).encode(x)
