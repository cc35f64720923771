"""The entropy-coded quantizer: its formula, its bytes, and damaged ones."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantlib.errors import QuantlibError
from quantlib.quantizers.entropy import LARGEST_CODE, EntropyQuantizer, EntropyTensor


def laplace(*shape: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    values = torch.distributions.Laplace(0.0, 1.0).sample(torch.Size(shape))
    return values * torch.linspace(0.1, 3, shape[1]).view(1, -1, *[1] * (len(shape) - 2))


def by_hand(x: np.ndarray, steps: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Codes and values, one number after another."""
    scaled = x / steps
    codes = np.array([[np.sign(v) * np.floor(abs(v) + rounding) for v in row] for row in scaled])
    values = np.zeros_like(x)
    for chosen in (abs(codes) == 1, abs(codes) > 1):
        if chosen.any():
            middle = np.mean(abs(scaled[chosen]) - abs(codes[chosen]))
            values[chosen] = (np.sign(codes) * (abs(codes) + middle) * steps)[chosen]
    return codes, values


@pytest.mark.parametrize("rounding", [0.5, 0.3])
def test_the_formula(rounding):
    x = laplace(200, 3)
    steps = torch.tensor([0.5, 1.0, 2.0])
    quantizer = EntropyQuantizer(steps, rounding)
    codes, values = by_hand(x.double().numpy(), steps.double().numpy(), rounding)
    assert np.array_equal(quantizer.to_int(x).numpy(), codes)
    np.testing.assert_allclose(quantizer(x).numpy(), values, atol=1e-5)


@settings(deadline=None)
@given(
    st.sampled_from([(2, 3, 5, 4), (1, 3, 1, 1), (4, 3), (1, 3, 0, 2)]),
    st.booleans(),
    st.floats(0.05, 0.5),
    st.integers(0, 9),
)
def test_bytes_decode_to_the_values(shape, per_channel, rounding, seed):
    x = laplace(*shape, seed=seed)
    steps = torch.tensor([0.3, 0.5, 1.1]) if per_channel else torch.tensor(0.4)
    quantizer = EntropyQuantizer(steps, rounding)
    encoded = quantizer.encode(x)
    values, sizes = quantizer.measure(x)
    stored = encoded.to_bytes()
    assert torch.equal(values, quantizer(x)) and torch.equal(encoded.decode(), values)
    assert torch.equal(EntropyTensor.from_bytes(stored).decode(), values)
    assert len(stored) == encoded.nbytes == sizes.total
    assert sizes.fp32 == 4 * x.numel()


@pytest.mark.parametrize("channel_dim", [0, 1, 2, -1])
def test_any_axis_of_channels(channel_dim):
    x = laplace(3, 4, 5)
    steps = torch.linspace(0.2, 0.6, x.shape[channel_dim])
    quantizer = EntropyQuantizer(steps, channel_dim=channel_dim)
    assert torch.equal(quantizer.encode(x).decode(), quantizer(x))
    other = EntropyQuantizer(steps, channel_dim=0)(x.movedim(channel_dim, 0))
    torch.testing.assert_close(quantizer(x), other.movedim(0, channel_dim))


def test_codes_that_look_alike_in_all_channels_share_a_table():
    torch.manual_seed(1)
    alike = torch.randn(1, 16, 20, 20)
    apart = alike * torch.logspace(-2, 1, 16).view(1, -1, 1, 1)
    quantizer = EntropyQuantizer(torch.tensor(0.5))
    assert quantizer.encode(alike).payload[0] == 1
    assert quantizer.encode(apart).payload[0] == 16


def test_the_estimate_is_close():
    x = laplace(1, 8, 40, 40)
    quantizer = EntropyQuantizer(torch.tensor(0.7))
    values, bits = quantizer.estimate(x)
    assert torch.equal(values, quantizer(x))
    assert 8 * quantizer.encode(x).nbytes == pytest.approx(bits, rel=0.03)


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_sample_tells_the_length(per_channel):
    x = laplace(1, 8, 60, 60)
    steps = torch.linspace(0.2, 1.0, 8) if per_channel else torch.tensor(0.5)
    quantizer = EntropyQuantizer(steps)
    found = quantizer.bits_of(x[0].flatten(1)[:, ::4], 3600)
    assert found == pytest.approx(8 * quantizer.encode(x).nbytes, rel=0.02)


def test_centroids_lessen_the_error():
    x = laplace(1, 8, 40, 40)
    quantizer = EntropyQuantizer(torch.tensor(1.0), 0.3)
    plain = quantizer.to_int(x).float()
    assert (quantizer(x) - x).square().mean() < (plain - x).square().mean()


def test_a_dead_zone_buys_more_than_it_costs():
    """At equal bits the error is smaller than with rounding to the nearest level."""
    x = laplace(1, 1, 200, 200)

    def at_one_bit(rounding: float) -> float:
        low, high = 0.1, 10.0
        for _ in range(30):
            step = torch.tensor((low * high) ** 0.5)
            values, bits = EntropyQuantizer(step, rounding).estimate(x)
            low, high = (low, float(step)) if bits < x.numel() else (float(step), high)
        return float((values - x).square().mean())

    assert at_one_bit(0.4) < at_one_bit(0.5)


def test_large_values_are_clipped_and_bad_ones_refused():
    quantizer = EntropyQuantizer(torch.tensor(1e-9))
    assert quantizer.to_int(torch.tensor([[1.0, -1.0]])).tolist() == [[LARGEST_CODE, -LARGEST_CODE]]
    for bad in (torch.nan, torch.inf):
        with pytest.raises(QuantlibError, match="NaN or infinite"):
            quantizer(torch.tensor([[bad]]))


def stored() -> bytes:
    return EntropyQuantizer(torch.tensor(0.5)).encode(laplace(1, 4, 6, 6)).to_bytes()


def test_every_truncation_is_noticed():
    payload = stored()
    for end in range(len(payload)):
        with pytest.raises(QuantlibError, match=r"cut off or damaged|not an entropy-coded"):
            EntropyTensor.from_bytes(payload[:end]).decode()


def test_claims_of_a_few_bytes():
    few = EntropyQuantizer(torch.tensor(0.5)).encode(torch.zeros(1, 4, 6, 6)).to_bytes()
    assert EntropyTensor.from_bytes(few, limit=144).decode().shape == (1, 4, 6, 6)
    with pytest.raises(QuantlibError, match="144 symbols where 143 are allowed"):
        EntropyTensor.from_bytes(few, limit=143)
    many = few[:10] + struct.pack("<4I", 1, 4, 1 << 14, 1 << 14) + few[26:]
    with pytest.raises(QuantlibError, match="1073741824 symbols where 8388608 are allowed"):
        EntropyTensor.from_bytes(many)


@settings(deadline=None)
@given(st.data())
def test_flipped_bytes_end_in_a_tensor_or_a_sentence(data):
    payload = bytearray(stored())
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert EntropyTensor.from_bytes(bytes(payload)).decode().dim()
    except QuantlibError as error:
        assert "damaged" in str(error) or "not an entropy" in str(error) or "shape" in str(error)
