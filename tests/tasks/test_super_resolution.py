import numpy as np
import pytest
import torch
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import psnr_y, ssim_y
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork, load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.catalogue import bundled
from quantlib.ptq import Settings, quantize
from quantlib.quantizers.noisyquant import NoisyQuantizer
from quantlib.runtime.bands import halo_of
from quantlib.tasks.super_resolution import (
    default_pairs,
    measure,
    prepare,
    reduced,
    sample_for,
    sites_of,
)
from quantlib.tasks.tiles import TILE, WHOLE_PIXELS

METHODS = ["fp32", "direct", "pot", "noisyquant", "dqa", "dqa-ans"]
INNER = ["body.0.body.0", "body.0.body.2", "body.1", "tail.0.0"]
BIG = (TILE * 2 - 40, TILE * 2 - 50)


def tiny(scale: int = 2) -> SRNetwork:
    torch.manual_seed(1)
    network = EDSR(scale, features=4, blocks=1)
    return SRNetwork(network, "EDSR", scale, receptive_radius=network.receptive_radius)


def photograph(height: int, width: int) -> np.ndarray:
    """Smooth, with edges: noise at several sizes."""
    random = np.random.default_rng(0)
    layers = []
    for cell in (4, 16, 64):
        small = random.integers(0, 256, (-(-height // cell), -(-width // cell), 3), np.uint8)
        layers.append(np.array(Image.fromarray(small).resize((width, height))).astype(float))
    return np.mean(layers, axis=0).round().astype(np.uint8)


@pytest.fixture(scope="module")
def parts():
    network = tiny()
    return sites_of(network), default_pairs(network)


def serialised(network, low) -> dict[str, int]:
    return {name: len(tensor.to_bytes()) for name, tensor in network.encode(low).items()}


@pytest.mark.parametrize("scales", ["dynamic", "frozen"])
@pytest.mark.parametrize("method", METHODS[1:])
def test_the_ledger_is_the_length_of_the_bytes(parts, method, scales):
    rgb = photograph(40, 33)
    network = prepare(parts[0], Settings(method, 3, scales=scales), parts[1])
    result = measure(network, rgb, 2)
    wanted = serialised(network, to_tensor(rgb))
    assert list(result.ledger.sites) == INNER
    assert {name: size.total for name, size in result.ledger.sites.items()} == wanted
    assert result.ledger.total.total == sum(wanted.values())
    assert result.ledger.total.fp32 == 4 * 4 * 40 * 33 * len(INNER)


def test_a_picture_and_its_truth(parts):
    truth = photograph(61, 47)
    low, cut = reduced(truth, 2)
    network = prepare(parts[0], Settings("direct", 4), parts[1])
    result = measure(network, low, 2, truth)
    assert result.rgb.shape == cut.shape == (60, 46, 3)
    with torch.no_grad():
        output = network(to_tensor(low))[0].movedim(0, 2).numpy()
    wanted = np.rint(np.clip(output, 0, 1) * np.float32(255)).astype(np.uint8)
    np.testing.assert_array_equal(result.rgb, wanted)
    assert result.psnr_y == psnr_y(wanted, cut, 2)
    assert result.ssim_y == ssim_y(wanted, cut, 2)
    assert result.seconds > 0
    blind = measure(network, low, 2)
    assert (blind.psnr_y, blind.ssim_y) == (None, None)


@pytest.mark.parametrize("size", [(62, 46), (60, 48), (58, 46), (60, 44), (120, 92)])
def test_a_truth_of_another_size(parts, size):
    network = prepare(parts[0], Settings("fp32"), parts[1])
    with pytest.raises(QuantlibError, match="does not belong to a result of 46×60"):
        measure(network, photograph(30, 23), 2, photograph(*size))


@pytest.mark.parametrize("size", [(59, 46), (60, 45), (59, 45), (61, 45), (61, 47), (60, 46)])
def test_a_reduction_that_rounded_up_or_down_is_cut_to_what_both_have(parts, size):
    network = prepare(parts[0], Settings("fp32"), parts[1])
    low, truth = photograph(30, 23), photograph(*size)
    alone, result = measure(network, low, 2), measure(network, low, 2, truth)
    height, width = min(60, size[0]), min(46, size[1])
    assert result.truth is not None
    np.testing.assert_array_equal(result.rgb, alone.rgb[:height, :width])
    np.testing.assert_array_equal(result.truth, truth[:height, :width])
    said = () if (height, width) == (60, 46) else (f"cut to {width}×{height}, as its original is",)
    assert result.notes == said
    assert result.psnr_y == psnr_y(result.rgb, result.truth, 2)


@pytest.mark.parametrize("method", METHODS)
def test_large_pictures_are_done_in_tiles(parts, method, monkeypatch):
    """The same picture whole and in tiles, with the scales that the tiles had."""
    rgb = photograph(*BIG)
    assert BIG[0] * BIG[1] > WHOLE_PIXELS
    network = prepare(parts[0], Settings(method, 4, scales="frozen"), parts[1])
    calls = []
    tiles = measure(network, rgb, 2, watch=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 4) for done in range(5)]
    monkeypatch.setattr("quantlib.tasks.tiles.WHOLE_PIXELS", BIG[0] * BIG[1])
    whole = measure(network, rgb, 2)
    assert tiles.rgb.shape == whole.rgb.shape == (2 * BIG[0], 2 * BIG[1], 3)
    difference = np.abs(tiles.rgb.astype(int) - whole.rgb)
    if method == "fp32":
        assert difference.max() <= 1
    else:  # rounding in a convolution may turn a code over, here and there
        assert (difference > 1).mean() < 1e-3
    # halos are counted: what was computed twice was stored twice
    assert 1 < tiles.ledger.total.fp32 / whole.ledger.total.fp32 < 1.15


@pytest.mark.parametrize("method", ["direct", "dqa", "pot"])
def test_tiles_of_one_picture_share_their_scales(parts, method, monkeypatch):
    """Dynamic scales are taken from the whole picture first, so no seam shows between tiles."""
    rgb = photograph(*BIG)
    rgb[: BIG[0] // 2] //= 8  # one tile dark, the next one bright
    network = prepare(parts[0], Settings(method, 5), parts[1])
    tiles = measure(network, rgb, 2)
    assert not network.frozen
    low = to_tensor(rgb)
    quarters = [low[..., y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]
    settings = Settings(method, 5, scales="frozen")
    frozen = quantize(parts[0], settings, network.masks, quarters)
    monkeypatch.setattr("quantlib.tasks.tiles.WHOLE_PIXELS", BIG[0] * BIG[1])
    whole = measure(frozen, rgb, 2)
    difference = np.abs(tiles.rgb.astype(int) - whole.rgb)
    assert (difference > 1).mean() < 1e-3


def test_the_ledger_of_tiles_is_the_sum_of_their_bytes(parts, monkeypatch):
    monkeypatch.setattr("quantlib.tasks.tiles.WHOLE_PIXELS", 20 * 20)
    monkeypatch.setattr("quantlib.tasks.tiles.TILE", 16)
    rgb = photograph(30, 20)
    network = prepare(parts[0], Settings("dqa", 3, scales="frozen"), parts[1])
    result = measure(network, rgb, 2)
    low, halo = to_tensor(rgb), 6
    wanted = dict.fromkeys(INNER, 0)
    for rows in ((0, 16 + halo), (16 - halo, 30)):
        for columns in ((0, 20), (16 - halo, 20)):
            tile = low[..., slice(*rows), slice(*columns)]
            for name, length in serialised(network, tile).items():
                wanted[name] += length
    assert {name: size.total for name, size in result.ledger.sites.items()} == wanted


@pytest.mark.parametrize("method", METHODS)
def test_one_pixel(parts, method):
    network = prepare(parts[0], Settings(method, 3), parts[1])
    result = measure(network, np.full((1, 1, 3), 77, np.uint8), 2)
    assert result.rgb.shape == (2, 2, 3)
    assert result.ledger.total.fp32 == 4 * 4 * len(INNER)
    with pytest.raises(QuantlibError, match="Nothing is left"):
        _ = measure(network, np.zeros((1, 1, 3), np.uint8), 2, np.zeros((2, 2, 3), np.uint8)).psnr_y


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (3, 3)])
def test_pictures_too_small_to_be_reduced(shape):
    with pytest.raises(QuantlibError, match=f"{shape[1]}×{shape[0]} pixels is too small"):
        reduced(np.zeros((*shape, 3), np.uint8), 4)


def test_reduction_is_the_mean_of_flat_blocks():
    """Flat squares: away from their edges a reduction cannot but keep the colours."""
    flat = np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8)
    rgb = flat.repeat(24, 0).repeat(24, 1)
    low, truth = reduced(np.pad(rgb, ((0, 3), (0, 1), (0, 0))), 4)
    np.testing.assert_array_equal(truth, rgb)
    assert low.shape == (24, 30, 3)
    np.testing.assert_array_equal(low[3::6, 3::6], flat)


@pytest.mark.parametrize(
    ("key", "scale", "side"),
    [("astronaut", 2, 128), ("astronaut", 3, 128), ("cat", 2, 128), ("cat", 3, 100)],
)
def test_samples_reduce_to_128_pixels_or_to_what_there_is(key, scale, side):
    crop = sample_for(key, scale)
    assert crop.shape == (side * scale, side * scale, 3)
    assert reduced(crop, scale)[0].shape == (side, side, 3)


def test_ranking_and_calibration_happen_where_they_are_needed(parts):
    sites, pairs = parts
    calls = []

    def watch(done: int, total: int) -> None:
        calls.append((done, total))

    assert not prepare(sites, Settings("direct"), pairs, watch=watch).masks
    assert calls == []
    quantized = prepare(sites, Settings("dqa", important=0.5), pairs, watch=watch)
    assert calls[-1] == (len(pairs), len(pairs))
    assert {int(mask.sum()) for mask in quantized.masks.values()} == {2}
    noisy = prepare(sites, Settings("noisyquant"), pairs)
    assert all(isinstance(q, NoisyQuantizer) for q in noisy.frozen.values())
    assert noisy.frozen.keys() == {site.name for site in sites.sites}


def test_halos():
    assert halo_of(tiny()) == 2 + 2 + 2
    assert halo_of(SRNetwork(EDSR(2, 4, 1), "unknown", 2)) == 32


def test_what_the_watcher_raises_ends_the_work(parts):
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StoppedError

    network = prepare(parts[0], Settings("direct"), parts[1])
    with pytest.raises(StoppedError):
        measure(network, photograph(8, 8), 2, watch=stop)
    with pytest.raises(StoppedError):
        prepare(parts[0], Settings("dqa"), parts[1], watch=stop)


@pytest.mark.parametrize("name", [entry.name for entry in bundled()])
def test_bundled_networks_keep_their_story(name):
    """FP32 above 3-bit DQA above 3-bit direct, and the bytes in the opposite order."""
    network = load(name)
    sites, pairs = sites_of(network), default_pairs(network)
    truth = sample_for("cat", network.scale)[: 48 * network.scale, : 48 * network.scale]
    low, truth = reduced(truth, network.scale)
    found = [
        measure(prepare(sites, settings, pairs), low, network.scale, truth)
        for settings in (Settings("fp32"), Settings("dqa", 3), Settings("direct", 3))
    ]
    quality = [result.psnr_y or 0.0 for result in found]
    assert quality == sorted(quality, reverse=True)
    sizes = [result.ledger.total.total for result in found]
    assert sizes == sorted(sizes, reverse=True)
    assert found[1].ledger.bits_per_activation < 6
