import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu, unfold

from quantlib.errors import QuantlibError
from quantlib.imaging.tiling import tiled
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings, SiteNetwork, quantize
from quantlib.quantizers.noisyquant import NoisyQuantizer, fit_noisyquant

F32 = np.float32
INNER = ["body.0.body.0", "body.0.body.2", "body.1.body.0", "body.1.body.2", "body.2", "tail.0.0"]
METHODS = ["direct", "pot", "noisyquant", "dqa", "dqa-ans"]


def pictures(*sizes: tuple[int, int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(1, 3, *size, generator=generator) for size in sizes]


PICTURE, *CALIBRATION = pictures((14, 11), (16, 16), (12, 20))


def small(seed: int = 0) -> EDSR:
    torch.manual_seed(seed)
    return EDSR(2, features=5, blocks=2).eval().requires_grad_(False)


class Tokens(nn.Module):
    """Linear layers only, on `(N, L, C)`."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.first(x.flatten(2).transpose(1, 2))
        tokens = self.last(tokens + relu(self.second(tokens)))
        return tokens.transpose(1, 2).view_as(x)


def with_hooks(
    network: nn.Module, names: list[str], change: Callable[[str, np.ndarray], np.ndarray]
):
    """A copy of `network` whose inner inputs go through `change`, by plain hooks."""
    twin = copy.deepcopy(network)
    for name in names:

        def hook(module, inputs, name=name):
            return torch.from_numpy(change(name, inputs[0].numpy()))

        twin.get_submodule(name).register_forward_pre_hook(hook)
    return twin


def by_channel(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    return values.reshape([-1 if d == axis % ndim else 1 for d in range(ndim)])


def magnitudes(a: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(a).max(axis=tuple(d for d in range(a.ndim) if d != axis % a.ndim))


def rounded(a: np.ndarray, step: np.ndarray, low, high) -> np.ndarray:
    return (np.clip(np.rint(a / step), low, high) * step).astype(F32)


def in_numpy(
    settings: Settings, a: np.ndarray, largest: np.ndarray, mask: np.ndarray, axis: int = 1
):
    """Direct, power-of-two or DQA values by their formulas, in float32."""
    n, m = settings.bits, settings.extra_bits
    wide = by_channel(mask & settings.needs_ranking, axis, a.ndim)
    largest = by_channel(largest, axis, a.ndim).astype(F32)
    if settings.method == "pot":
        top = 2 ** (n - 1) - 1
        scale = np.where(largest > 0, largest, 1)
        size = np.abs(a / scale)
        code = np.clip(np.rint(np.log2(np.maximum(size, 2.0 ** (-top)))) + top, 1, top)
        values = np.sign(a) * 2.0 ** (code - top) * (size >= 2.0 ** (-top))
        return (values * scale).astype(F32)
    levels = np.where(wide, 2 ** (n + m - 1), 2 ** (n - 1)).astype(F32)
    step = (largest / levels).astype(F32)
    step[step == 0] = 1
    return rounded(a, step, -levels, levels - 1)


def some_masks(sites: SiteNetwork) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(9)
    return {s.name: torch.rand(s.channels, generator=generator) < 0.4 for s in sites.sites}


@pytest.mark.parametrize(
    "settings",
    [
        Settings("direct", 3),
        Settings("direct", 8),
        Settings("pot", 4),
        Settings("dqa", 3, 3),
        Settings("dqa", 2, 0),
        Settings("dqa", 8, 4),
        Settings("dqa-ans", 3, 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("scales", ["dynamic", "frozen"])
def test_forward_is_that_of_plain_hooks_and_numpy(settings, scales):
    settings = Settings(settings.method, settings.bits, settings.extra_bits, scales=scales)
    network = small()
    sites = SiteNetwork(network, PICTURE)
    masks = some_masks(sites)
    quantized = quantize(sites, settings, masks, CALIBRATION)

    seen: dict[str, np.ndarray] = {}

    def note(name: str, a: np.ndarray) -> np.ndarray:
        seen[name] = np.maximum(seen.get(name, 0), magnitudes(a, 1))
        return a

    watched = with_hooks(network, INNER, note)
    for picture in CALIBRATION:
        watched(picture)

    def change(name: str, a: np.ndarray) -> np.ndarray:
        largest = seen[name] if scales == "frozen" else magnitudes(a, 1)
        return in_numpy(settings, a, largest, masks[name].numpy())

    wanted = with_hooks(network, INNER, change)(PICTURE)
    torch.testing.assert_close(quantized(PICTURE), wanted, rtol=0, atol=1e-6)
    assert bool(quantized.frozen) == (scales == "frozen")
    assert (wanted - network(PICTURE)).abs().max() > 1e-4


def test_fp32_is_the_network_itself():
    network = small()
    quantized = quantize(SiteNetwork(network, PICTURE), Settings("fp32"))
    output, sizes = quantized.measure(PICTURE)
    assert torch.equal(quantized(PICTURE), network(PICTURE))
    assert torch.equal(output, network(PICTURE))
    assert list(sizes) == INNER
    elements = 5 * 14 * 11
    assert {size.fp32 for size in sizes.values()} == {4 * elements}
    assert all(size.total == size.fp32 for size in sizes.values())
    with pytest.raises(QuantlibError, match="FP32 activations are not encoded"):
        quantized.encode(PICTURE)


def test_eight_bits_are_near_fp32_and_fewer_are_farther():
    network = small()
    sites = SiteNetwork(network, PICTURE)
    wanted = network(PICTURE)
    errors = [
        (quantize(sites, Settings("direct", bits))(PICTURE) - wanted).square().mean().item()
        for bits in (8, 6, 4, 2)
    ]
    assert errors == sorted(errors)
    assert errors[0] < 1e-4 * wanted.var().item()
    assert errors[-1] > 100 * errors[0]


@pytest.mark.parametrize("scales", ["dynamic", "frozen"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mask", ["some", "none", "all"])
def test_measured_sizes_are_those_of_the_bytes(method, scales, mask):
    sites = SiteNetwork(small(), PICTURE)
    masks = some_masks(sites)
    if mask != "some":
        masks = {name: torch.full_like(m, mask == "all") for name, m in masks.items()}
    quantized = quantize(sites, Settings(method, 3, scales=scales), masks, CALIBRATION)
    output, sizes = quantized.measure(PICTURE)
    encoded = quantized.encode(PICTURE)
    assert list(sizes) == list(encoded) == INNER
    for name, tensor in encoded.items():
        assert len(tensor.to_bytes()) == sizes[name].total == tensor.sizes.total
        assert sizes[name] == tensor.sizes
    assert torch.equal(output, quantized(PICTURE))


@pytest.mark.parametrize("scales", ["dynamic", "frozen"])
@pytest.mark.parametrize("method", METHODS)
def test_decoded_bytes_carry_the_network_to_the_same_output(method, scales):
    """The network run from the bytes alone, as whoever stored them would."""
    network = small()
    sites = SiteNetwork(network, PICTURE)
    quantized = quantize(sites, Settings(method, 3, scales=scales), some_masks(sites), CALIBRATION)
    encoded = quantized.encode(PICTURE)
    from_bytes = with_hooks(network, INNER, lambda name, a: encoded[name].decode().numpy())
    torch.testing.assert_close(from_bytes(PICTURE), quantized(PICTURE), rtol=0, atol=1e-6)


def test_noisyquant_adds_and_removes_its_noise_at_every_site():
    network = small()
    quantized = quantize(SiteNetwork(network, PICTURE), Settings("noisyquant", 4), {}, CALIBRATION)

    def change(name: str, a: np.ndarray) -> np.ndarray:
        quantizer = quantized.frozen[name]
        assert isinstance(quantizer, NoisyQuantizer)
        noise = by_channel(quantizer.noise.numpy(), 1, 4)
        return rounded(a + noise, quantizer.scale.numpy(), -8, 7) - noise

    wanted = with_hooks(network, INNER, change)(PICTURE)
    torch.testing.assert_close(quantized(PICTURE), wanted, rtol=0, atol=1e-6)
    assert any(bool(q.noise.any()) for q in quantized.frozen.values())  # type: ignore[attr-defined]


def test_noisyquant_searches_on_all_that_the_calibration_saw():
    """The rows of both pictures, cut out of the inputs of every convolution by unfold."""
    network = small()
    calibration = pictures((7, 8), (6, 9))
    quantized = quantize(SiteNetwork(network, PICTURE), Settings("noisyquant", 3), {}, calibration)
    rows: dict[str, list[Tensor]] = {}

    def note(name: str, a: np.ndarray) -> np.ndarray:
        columns = unfold(torch.from_numpy(a), 3)[0].T
        rows.setdefault(name, []).append(columns.reshape(-1, a.shape[1], 9))
        return a

    watched = with_hooks(network, INNER, note)
    for picture in calibration:
        watched(picture)
    for name, found in quantized.frozen.items():
        weight = network.get_parameter(f"{name}.weight").flatten(2)
        wanted = fit_noisyquant(torch.cat(rows[name]), weight, 3)
        assert isinstance(found, NoisyQuantizer)
        torch.testing.assert_close(found.scale, wanted.scale)
        torch.testing.assert_close(found.noise, wanted.noise)


def test_unsigned_codes_where_nothing_is_negative():
    network = small()
    sites = SiteNetwork(network, PICTURE)
    quantized = quantize(sites, Settings("direct", 3, unsigned=True))

    def change(name: str, a: np.ndarray) -> np.ndarray:
        largest = by_channel(magnitudes(a, 1), 1, 4)
        after_relu = name in ("body.0.body.2", "body.1.body.2")
        step = (largest / F32(7 if after_relu else 4)).astype(F32)
        step[step == 0] = 1
        return rounded(a, step, 0 if after_relu else -4, 7 if after_relu else 3)

    wanted = with_hooks(network, INNER, change)(PICTURE)
    torch.testing.assert_close(quantized(PICTURE), wanted, rtol=0, atol=1e-6)
    encoded = quantized.encode(PICTURE)
    assert torch.equal(encoded["body.0.body.2"].decode().amin(), torch.zeros(()))
    signed = quantize(sites, Settings("direct", 3))
    assert not torch.equal(signed(PICTURE), quantized(PICTURE))


@pytest.mark.parametrize("clip", ["percentile", "mse"])
def test_frozen_clips_are_taken_from_the_calibration(clip):
    network = small()
    sites = SiteNetwork(network, PICTURE)
    frozen = quantize(sites, Settings("direct", 4, clip=clip, scales="frozen"), {}, CALIBRATION)
    sample: dict[str, list[np.ndarray]] = {}

    def note(name: str, a: np.ndarray) -> np.ndarray:
        sample.setdefault(name, []).append(np.moveaxis(a, 1, 0).reshape(a.shape[1], -1))
        return a

    watched = with_hooks(network, INNER, note)
    for picture in CALIBRATION:
        watched(picture)
    for name, parts in sample.items():
        values = np.abs(np.concatenate(parts, axis=1))
        steps = frozen.frozen[name].scale.numpy() * 8  # type: ignore[attr-defined]
        if clip == "percentile":
            wanted = np.percentile(values, 99.9, axis=1, method="closest_observation")
            np.testing.assert_allclose(steps, wanted, rtol=1e-6)
        else:
            fractions = steps / values.max(axis=1)
            grid = np.linspace(0.3, 1, 29)
            assert np.abs(fractions[:, None] - grid).min(axis=1).max() < 1e-5
            assert fractions.min() < 0.99


@pytest.mark.parametrize("method", METHODS)
def test_frozen_scales_make_tiles_equal_to_the_whole(method):
    """In double precision, so that no rounding of a convolution turns a code over."""
    network = small().double()
    picture = pictures((40, 37))[0].double()
    sites = SiteNetwork(network, picture)
    settings = Settings(method, 3, scales="frozen")
    quantized = quantize(sites, settings, some_masks(sites), [c.double() for c in CALIBRATION])
    halo = network.receptive_radius
    whole = quantized(picture)
    pieces = tiled(quantized, picture, 2, halo, tile=16)
    torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-5)
    short = tiled(quantized, picture, 2, halo - 3, tile=16)
    assert (short - whole).abs().max() > 1e-4


def test_dynamic_scales_differ_between_tiles():
    network = small().double()
    picture = pictures((40, 37))[0].double()
    sites = SiteNetwork(network, picture)
    quantized = quantize(sites, Settings("direct", 3))
    pieces = tiled(quantized, picture, 2, network.receptive_radius, tile=16)
    assert (pieces - quantized(picture)).abs().max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_linear_layers_are_quantized_along_their_last_axis(method):
    network = Tokens().eval().requires_grad_(False)
    sites = SiteNetwork(network, PICTURE)
    settings = Settings(method, 4)
    masks = {"second": torch.tensor([True, False] * 3)}
    quantized = quantize(sites, settings, masks, CALIBRATION)
    if method == "noisyquant":
        found = quantized.frozen["second"]
        assert isinstance(found, NoisyQuantizer)
        noise = found.noise.numpy()
        changed = with_hooks(
            network,
            ["second"],
            lambda _, a: rounded(a + noise, found.scale.numpy(), -8, 7) - noise,
        )
    else:
        changed = with_hooks(
            network,
            ["second"],
            lambda _, a: in_numpy(settings, a, magnitudes(a, 2), masks["second"].numpy(), axis=2),
        )
    torch.testing.assert_close(quantized(PICTURE), changed(PICTURE), rtol=0, atol=1e-6)
    sizes, encoded = quantized.measure(PICTURE)[1], quantized.encode(PICTURE)
    assert sizes["second"].total == len(encoded["second"].to_bytes())


def test_the_network_that_it_is_made_of_stays():
    network = small()
    before = network(PICTURE)
    quantized = quantize(SiteNetwork(network, PICTURE), Settings("direct", 2))
    assert not torch.equal(quantized(PICTURE), before)
    quantized.measure(PICTURE)
    assert torch.equal(network(PICTURE), before)
    assert torch.equal(quantized.site_network(PICTURE), before)


def test_masks_that_are_missing():
    sites = SiteNetwork(small(), PICTURE)
    masks = some_masks(sites)
    del masks["body.1.body.0"]
    with pytest.raises(QuantlibError, match=r"important channels of layer body\.1\.body\.0"):
        quantize(sites, Settings("dqa", 3), masks)
    with pytest.raises(QuantlibError, match="rank it first"):
        quantize(sites, Settings("dqa", 3))


@pytest.mark.parametrize("settings", [Settings("noisyquant"), Settings("direct", scales="frozen")])
def test_calibration_without_pictures(settings):
    sites = SiteNetwork(small(), PICTURE)
    with pytest.raises(QuantlibError, match="at least one picture"):
        quantize(sites, settings)


@pytest.mark.parametrize("scales", ["dynamic", "frozen"])
@pytest.mark.parametrize("method", METHODS)
def test_a_picture_of_one_pixel(method, scales):
    sites = SiteNetwork(small(), PICTURE)
    pixel = torch.full((1, 3, 1, 1), 0.5)
    quantized = quantize(sites, Settings(method, 3, scales=scales), some_masks(sites), [pixel])
    output, sizes = quantized.measure(pixel)
    assert output.shape == (1, 3, 2, 2)
    assert output.isfinite().all()
    assert {name: len(e.to_bytes()) for name, e in quantized.encode(pixel).items()} == {
        name: size.total for name, size in sizes.items()
    }


def test_a_network_that_overflows_is_refused():
    network = small()
    network.get_parameter("body.0.body.0.weight").fill_(torch.inf)
    sites = SiteNetwork(network, PICTURE)
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        quantize(sites, Settings("direct", 4))(PICTURE)
