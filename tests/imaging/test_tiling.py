import pytest
import torch
from torch import nn

from quantlib.errors import QuantlibError
from quantlib.imaging.tiling import tiled

RADIUS = 4


def network(scale: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(6, 6, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(6, 3 * scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
    )


SIZES = [(1, 1), (1, 37), (40, 1), (16, 16), (17, 33), (50, 23)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tile", [9, 16, 256])
@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_make_the_whole(size, tile, scale):
    net, x = network(scale), torch.rand(2, 3, *size)
    with torch.no_grad():
        whole = net(x)
    pieces = tiled(net, x, scale, RADIUS, tile)
    assert pieces.device.type == "cpu"
    torch.testing.assert_close(pieces, whole, atol=1e-5, rtol=0)


def test_tiles_of_one_pixel():
    net, x = network(2), torch.rand(1, 3, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(tiled(net, x, 2, RADIUS, 1), net(x), atol=1e-5, rtol=0)


def test_a_halo_too_small_shows():
    net, x = network(2), torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        difference = (tiled(net, x, 2, RADIUS - 2, 16) - net(x)).abs().max()
    assert difference > 1e-4


@pytest.mark.parametrize("multiple", [1, 4, 8])
def test_pieces_start_at_multiples(multiple):
    x = torch.arange(50 * 39).view(1, 1, 50, 39).expand(1, 3, 50, 39).float()
    pieces = []

    def watched(piece):
        start, stop = int(piece[0, 0, 0, 0]), int(piece[0, 0, -1, -1]) + 39
        pieces.append((start // 39, start % 39, stop // 39, stop % 39 + 1))
        return piece

    torch.testing.assert_close(tiled(watched, x, 1, 3, 10, multiple), x)
    for top, left, bottom, right in pieces:
        assert top % multiple == left % multiple == 0
        assert bottom % multiple == 0 or bottom == 50
        assert right % multiple == 0 or right == 39


def test_a_window_network_with_multiple():
    def window_means(x):
        return nn.functional.avg_pool2d(x, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)

    x = torch.rand(1, 3, 48, 36)
    torch.testing.assert_close(tiled(window_means, x, 1, 2, 10, multiple=4), window_means(x))


def test_watch_sees_every_tile_and_may_stop():
    calls = []
    x = torch.rand(1, 3, 20, 30)
    tiled(lambda y: y, x, 1, 0, 10, watch=lambda done, total: calls.append((done, total)))
    assert calls == [(i, 6) for i in range(7)]

    class Cancelled(Exception):  # noqa: N818
        pass

    ran = []

    def cancel(done, total):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        tiled(lambda y: ran.append(0) or y, x, 1, 0, 10, watch=cancel)
    assert len(ran) == 2


@pytest.mark.parametrize(
    "settings", [{"tile": 0}, {"halo": -1}, {"scale": 0}, {"multiple": 0}, {"tile": -5}]
)
def test_impossible_settings(settings):
    with pytest.raises(QuantlibError, match="impossible"):
        tiled(lambda y: y, torch.rand(1, 3, 4, 4), **{"scale": 1, "halo": 0, **settings})


def test_an_empty_picture():
    with pytest.raises(QuantlibError, match="at least one pixel"):
        tiled(lambda y: y, torch.rand(1, 3, 0, 4), 1, 0)
