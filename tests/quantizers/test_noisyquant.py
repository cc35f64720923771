import numpy as np
import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.noisyquant import NoisyQuantizer, SearchEffort, fit_noisyquant

EFFORT = SearchEffort(clips=30, means=12, ranges=20)


def layer(seed: int, taps: int = 1, channels: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs `(P, C, K)` and weights `(O, C, K)` of a layer; skewed, so that a mean helps."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.rand(60, channels, taps, generator=generator) ** 3 * 4 - 0.2
    return rows, torch.randn(4, channels, taps, generator=generator)


def plain_layer() -> tuple[torch.Tensor, torch.Tensor]:
    """A small layer on which the range search finds more than the mean."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(60, 2, 1, generator=generator)
    return rows, torch.randn(4, 2, 1, generator=generator)


def output_error(rows: np.ndarray, weight: np.ndarray, step: float, noise: np.ndarray, bits: int):
    """Σ(W·(Q(x+N) - N) - W·x)² with one loop per sum, in float64."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    total = 0.0
    for place in rows:
        for kernel in weight:
            difference = 0.0
            for channel, taps in enumerate(place):
                shifted = taps + noise[channel]
                values = np.clip(np.rint(shifted / step), low, high) * step - noise[channel]
                difference += float(kernel[channel] @ (values - taps))
            total += difference**2
    return total


def searched(rows: np.ndarray, weight: np.ndarray, bits: int, unit: np.ndarray):
    """The three searches of the released code: clip, then mean, then range."""
    silence, top = np.zeros(rows.shape[1]), 2 ** (bits - 1) - 1
    best, step = np.inf, 0.0
    for i in range(1, EFFORT.clips + 1):
        candidate = np.abs(rows).max() * i / EFFORT.clips / top
        error = output_error(rows, weight, candidate, silence, bits)
        if error < best:
            best, step = error, candidate
    clip_error, mean = best, silence
    half = EFFORT.means // 2
    for i in range(-half, half + 1):
        candidate = silence + step * i / half
        error = output_error(rows, weight, step, candidate, bits)
        if error < best:
            best, mean = error, candidate
    noise = mean
    for i in range(EFFORT.ranges):
        candidate = mean + unit * step * 2 * i / EFFORT.ranges
        error = output_error(rows, weight, step, candidate, bits)
        if error < best:
            best, noise = error, candidate
    return step, noise, clip_error, best


@pytest.mark.parametrize("noise", ["uniform", "gaussian"])
@pytest.mark.parametrize(
    ("layer_of", "bits"), [(lambda: layer(1, taps=4), 4), (plain_layer, 3)], ids=["mean", "range"]
)
def test_the_search_is_that_of_plain_loops(noise, layer_of, bits):
    rows, weight = layer_of()
    draw = torch.rand if noise == "uniform" else torch.randn
    unit = draw(rows.shape[1], generator=torch.Generator().manual_seed(3)) * 2 - 1
    arrays = rows.double().numpy(), weight.double().numpy()
    step, offset, clip_error, least = searched(*arrays, bits, unit.double().numpy())
    found = fit_noisyquant(rows, weight, bits, noise=noise, effort=EFFORT, seed=3)
    assert found.scale.item() == pytest.approx(step, rel=1e-5)
    np.testing.assert_allclose(found.noise.numpy(), offset, rtol=1e-4, atol=1e-6)
    assert np.any(offset != 0)
    assert np.ptp(offset) > 0 or layer_of is not plain_layer
    reached = output_error(*arrays, found.scale.item(), found.noise.double().numpy(), bits)
    assert reached == pytest.approx(least, rel=1e-3)
    assert reached < clip_error


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("noise", ["uniform", "gaussian"])
def test_noise_never_costs_accuracy_on_what_it_was_searched_on(bits, noise):
    for seed in range(4):
        rows, weight = layer(seed)
        arrays = rows.double().numpy(), weight.double().numpy()
        found = fit_noisyquant(rows, weight, bits, noise=noise, effort=EFFORT, seed=seed)
        step = found.scale.item()
        with_noise = output_error(*arrays, step, found.noise.double().numpy(), bits)
        without = output_error(*arrays, step, np.zeros(5), bits)
        assert with_noise <= without * (1 + 1e-4)


@pytest.mark.parametrize(("shape", "axis"), [((2, 3, 4, 5), 1), ((2, 7, 3), -1), ((3,), 0)])
def test_noise_is_added_before_and_removed_after(shape, axis):
    generator = torch.Generator().manual_seed(0)
    x, noise = torch.randn(shape, generator=generator), torch.randn(3, generator=generator)
    quantizer = NoisyQuantizer(torch.tensor(0.3), noise, BitWidth(4), axis)
    spread = noise.numpy().reshape([-1 if d == axis % x.dim() else 1 for d in range(x.dim())])
    step = np.float32(0.3)
    codes = np.clip(np.rint((x.numpy() + spread) / step), -8, 7)
    np.testing.assert_array_equal(quantizer.to_int(x).numpy(), codes)
    np.testing.assert_array_equal(quantizer(x).numpy(), codes * step - spread)
    values, sizes = quantizer.measure(x)
    np.testing.assert_array_equal(values.numpy(), quantizer(x).numpy())
    assert sizes.total == len(quantizer.encode(x).to_bytes())
    np.testing.assert_array_equal(quantizer.encode(x).decode().numpy(), values.numpy())


@pytest.mark.parametrize(
    ("x", "n"), [(0.0, 0.5), (0.1, 0.5), (0.1, 0.2), (0.3, 0.4), (0.45, 0.5), (0.2, 0.7)]
)
def test_the_theorem_of_the_expected_error(x, n):
    """E[(Q(v+N)-N-v)²] = (b-x)² - (b/n)(n-x)² + n²/3 at distance x from a decision boundary.

    The quantizer has bins of width 2b = 1 and N is uniform on [-n, n], one draw per channel.
    """
    b, draws = 0.5, 400_000
    noise = (torch.rand(draws, generator=torch.Generator().manual_seed(7)) * 2 - 1) * n
    value = torch.full((1, draws), 0.5 + x)  # the boundary between the levels 0 and 1 is 0.5
    quantizer = NoisyQuantizer(torch.tensor(2 * b), noise, BitWidth(8))
    squared = (quantizer(value) - value).double().square()
    wanted = (b - x) ** 2 - b / n * (n - x) ** 2 + n**2 / 3
    spread = squared.std().item() / draws**0.5
    assert squared.mean().item() == pytest.approx(wanted, abs=5 * spread)
    helps = x < n * (1 - (n / (3 * b)) ** 0.5)
    plain = NoisyQuantizer(torch.tensor(2 * b), torch.zeros(draws), BitWidth(8))
    assert helps == bool(squared.mean() < (plain(value) - value).double().square().mean())


def test_seeds_and_noises():
    rows, weight = plain_layer()
    first, again, other = (
        fit_noisyquant(rows, weight, 3, effort=EFFORT, seed=seed).noise for seed in (3, 3, 5)
    )
    gaussian = fit_noisyquant(rows, weight, 3, noise="gaussian", effort=EFFORT, seed=3).noise
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, gaussian)


def test_a_silent_input_stays_silent():
    quantizer = fit_noisyquant(torch.zeros(4, 2, 1), torch.ones(3, 2, 1), 3, effort=EFFORT)
    assert quantizer(torch.zeros(1, 2, 3, 3)).abs().max() == 0


def test_bad_arguments():
    rows, weight = layer(1)
    with pytest.raises(QuantlibError, match="There is no noise 'pink'"):
        fit_noisyquant(rows, weight, 3, noise="pink")  # type: ignore[arg-type]
    with pytest.raises(QuantlibError, match="out of range"):
        fit_noisyquant(rows, weight, 0)
    rows[3, 1, 0] = torch.nan
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        fit_noisyquant(rows, weight, 3)
    quantizer = NoisyQuantizer(torch.tensor(0.5), torch.zeros(5), BitWidth(3))
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        quantizer.measure(rows[None, ..., 0].movedim(2, 1))
