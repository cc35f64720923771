"""SwinIR against spandrel's own, its depths, its reach, and what cannot be loaded."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from spandrel import ModelLoader
from spandrel.architectures.SwinIR import SwinIR as AuthorsSwinIR
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.tiling import tiled
from quantlib.importance import rank
from quantlib.importance.pairs import Pair
from quantlib.models import load
from quantlib.models.architectures import swinir, swinir_network
from quantlib.ptq import Settings
from quantlib.qat.depth import DEPTHS
from quantlib.tasks.super_resolution import prepare, sites_of

FORMS: dict[str, dict[str, Any]] = {
    "light": {
        "upscale": 2,
        "upsampler": "pixelshuffledirect",
        "depths": [2, 2],
        "num_heads": [2, 2],
    },
    "full": {
        "upscale": 4,
        "upsampler": "pixelshuffle",
        "depths": [2, 1, 3],
        "num_heads": [3, 2, 6],
        "window_size": 4,
        "img_size": 24,
        "mlp_ratio": 4,
    },
    "real": {
        "upscale": 4,
        "upsampler": "nearest+conv",
        "resi_connection": "3conv",
        "depths": [3],
        "num_heads": [4],
    },
}


def authors(form: str) -> AuthorsSwinIR:
    """The authors' network in a small size, every weight random."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "img_size": 16,
        "embed_dim": 12,
        "window_size": 8,
        "mlp_ratio": 2,
    } | FORMS[form]
    network = AuthorsSwinIR(**sizes)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def saved(weights: Mapping[str, Tensor], file: Path) -> str:
    save_file({k: v.contiguous().clone() for k, v in weights.items()}, file)
    return str(file)


def small(depths: bool = False) -> swinir_network.SwinIR:
    torch.manual_seed(1)
    network = swinir.light(2, 12, groups=4, layers=2, heads=2, learnable_shortcuts=depths)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.15)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(16, 24), (21, 19), (40, 16)])
def test_outputs_equal_spandrels(form: str, size: tuple[int, int], tmp_path: Path) -> None:
    """On every size: continued pictures are cut off again."""
    bare = authors(form)
    descriptor = ModelLoader().load_from_state_dict(bare.state_dict())
    network = load(saved(bare.state_dict(), tmp_path / "net.safetensors"))
    x = torch.rand(1, 3, *size)
    with torch.inference_mode():
        torch.testing.assert_close(network(x), descriptor.model.eval()(x), atol=1e-6, rtol=0)
    assert (network.architecture, network.scale) == ("SwinIR", FORMS[form]["upscale"])
    assert network.parameter_count == sum(p.numel() for p in bare.parameters())


@pytest.mark.parametrize("height", [1, 2, 7, 8, 9, 15, 17])
def test_pictures_from_one_pixel_up(height: int, tmp_path: Path) -> None:
    network = load(saved(small().state_dict(), tmp_path / "net.safetensors"))
    for width in (1, 3, 8, 23):
        with torch.inference_mode():
            y = network(torch.rand(1, 3, height, width))
        assert y.shape == (1, 3, 2 * height, 2 * width)
        assert y.isfinite().all()


@pytest.mark.parametrize("form", FORMS)
def test_tiles_give_what_the_whole_picture_gives(form: str, tmp_path: Path) -> None:
    network = load(saved(authors(form).state_dict(), tmp_path / "net.safetensors"))
    halo = network.receptive_radius
    assert halo is not None
    x = torch.rand(1, 3, 61, 83)
    with torch.inference_mode():
        whole = network(x)
        pieces = tiled(network, x, network.scale, halo, tile=32, multiple=network.window)
        short = tiled(network, x, network.scale, halo // 3, tile=32, multiple=network.window)
    assert (pieces - whole).abs().max() < 1e-4
    assert (short - whole).abs().max() > (pieces - whole).abs().max()


def test_receptive_radius_is_where_the_gradient_ends() -> None:
    network = small().double()
    x = torch.rand(1, 3, 16, 96, dtype=torch.float64, requires_grad=True)
    reached = 0
    for position in range(40, 48):
        (gradient,) = torch.autograd.grad(network(x)[0, :, 8, 2 * position].sum(), x)
        columns = gradient[0].abs().sum((0, 1)).nonzero().flatten() - position
        reached = max(reached, int(columns.abs().max()))
    assert reached == network.receptive_radius


def test_skipped_groups_leave_their_shortcut() -> None:
    """Against the groups written out one after the other."""
    network: Any = small(depths=True)
    network.block_order.copy_(torch.tensor([2, 0, 3, 1]))
    for group, s in zip(network.layers, (1.1, 0.8, 1.2, 0.9), strict=True):
        group.shortcut.copy_(torch.tensor(s))
    x = torch.rand(1, 3, 16, 16)
    for depth, kept in {"full": {0, 1, 2, 3}, "half": {0, 2}, "quarter": {2}}.items():
        assert set(network.kept_blocks(depth)) == kept
        shallow = network.conv_first(x - network.mean)
        tokens = network.patch_embed(shallow)
        for i, group in enumerate(network.layers):
            kept_part = group.shortcut * tokens
            if i in kept:
                inside = group.patch_unembed(group.residual_group(tokens, (16, 16)), (16, 16))
                kept_part = kept_part + group.patch_embed(group.conv(inside))
            tokens = kept_part
        deep = network.patch_unembed(network.norm(tokens), (16, 16))
        wanted = network.upsample(network.conv_after_body(deep) + shallow) + network.mean
        torch.testing.assert_close(network.at_depth(depth)(x), wanted)


def test_shortcuts_of_one_change_nothing() -> None:
    plain: Any = small()
    deep: Any = small(depths=True)
    deep.load_state_dict(plain.state_dict(), strict=False)
    for group in deep.layers:
        group.shortcut.fill_(1.0)
    x = torch.rand(1, 3, 24, 16)
    torch.testing.assert_close(deep(x), plain(x))


def test_a_depth_dynamic_network_is_loaded_with_its_depths(tmp_path: Path) -> None:
    network: Any = small(depths=True)
    network.block_order.copy_(torch.tensor([3, 1, 0, 2]))
    loaded = load(saved(network.state_dict(), tmp_path / "net.safetensors"))
    assert loaded.depths == tuple(DEPTHS)
    x = torch.rand(1, 3, 32, 16)
    for depth in DEPTHS:
        with torch.inference_mode():
            torch.testing.assert_close(loaded.at_depth(depth)(x), network.at_depth(depth)(x))


def test_what_follows_from_the_window_is_not_stored() -> None:
    names = small().state_dict().keys()
    assert not any(name.endswith(swinir.CONSTANTS) for name in names)
    assert any(name.endswith("relative_position_index") for name in authors("light").state_dict())


def test_official_files_keep_their_weights_under_a_name(tmp_path: Path) -> None:
    bare = authors("light")
    file = tmp_path / "002_lightweightSR_DIV2K_s64w8_SwinIR-S_x2.pth"
    torch.save({"params": bare.state_dict()}, file)
    x = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        torch.testing.assert_close(load(str(file))(x), bare(x), atol=1e-6, rtol=0)


def test_every_token_site_has_its_channels_last_and_ranks_them(tmp_path: Path) -> None:
    network = load(saved(small().state_dict(), tmp_path / "net.safetensors"))
    sites = sites_of(network)
    linear = [site for site in sites.sites if "blocks" in site.name]
    assert len(linear) == 4 * 2 * 4
    assert {site.channel_dim for site in linear} == {2}
    assert {site.channels for site in linear} == {12, 24}
    low = torch.rand(1, 3, 16, 16)
    pair = Pair(low, torch.rand(1, 3, 32, 32))
    ranking = rank(sites, [pair], "energy", 3, 3)
    seen: dict[str, Tensor] = {}
    sites.run(low, lambda site, a, layer: seen.setdefault(site.name, a.clone()))
    for site in linear:
        energy = seen[site.name].double().square().sum((0, 1))
        assert ranking.order(site.name).tolist() == energy.argsort(descending=True).tolist()
    settings = Settings("dqa", 3, 3, 0.5, "energy")
    quantized = prepare(sites, settings, [pair], ranking)
    output, sizes = quantized.measure(low)
    assert output.shape == (1, 3, 32, 32)
    for name, encoded in quantized.encode(low).items():
        assert len(encoded.to_bytes()) == sizes[name].total


def test_a_quantized_network_takes_a_picture_of_any_size_in_tiles(tmp_path: Path) -> None:
    network = load(saved(small().state_dict(), tmp_path / "net.safetensors"))
    sites = sites_of(network)
    settings = Settings("direct", 8, scales="frozen")
    quantized = prepare(sites, settings, [Pair(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 64, 64))])
    x = torch.rand(1, 3, 53, 70)
    halo = network.receptive_radius
    assert halo is not None
    pieces = tiled(quantized, x, 2, halo, tile=24, multiple=network.window)
    # rounding tips where sums are taken in another order: a few codes in 256 levels
    assert (pieces - quantized(x)).abs().mean() < 1e-3


def without_a_layer(weights: dict[str, Tensor]) -> None:
    del weights["layers.0.residual_group.blocks.1.mlp.fc1.weight"]


def heads_that_do_not_divide(weights: dict[str, Tensor]) -> None:
    for name in [n for n in weights if n.endswith("relative_position_bias_table")]:
        weights[name] = torch.zeros(len(weights[name]), 5)


def a_window_of_no_size(weights: dict[str, Tensor]) -> None:
    for name in [n for n in weights if n.endswith("relative_position_bias_table")]:
        weights[name] = torch.zeros(200, 2)


def grey(weights: dict[str, Tensor]) -> None:
    weights["conv_first.weight"] = weights["conv_first.weight"][:, :1]
    weights["upsample.0.weight"] = weights["upsample.0.weight"][:4]
    weights["upsample.0.bias"] = weights["upsample.0.bias"][:4]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_a_layer, "lacks|do not fit together"),
        (heads_that_do_not_divide, "for 5 heads, which cannot share"),
        (a_window_of_no_size, "do not fit together"),
        (grey, "RGB"),
    ],
)
def test_a_checkpoint_of_unknown_shape(
    damage: Callable[[dict[str, Tensor]], None], said: str, tmp_path: Path
) -> None:
    weights = dict(small().state_dict())
    damage(weights)
    with pytest.raises(QuantlibError, match=said) as caught:
        load(saved(weights, tmp_path / "net.safetensors"))
    assert "\n" not in str(caught.value)


def test_a_denoiser_is_refused(tmp_path: Path) -> None:
    network = AuthorsSwinIR(img_size=16, embed_dim=12, depths=[1], num_heads=[2], window_size=8)
    with pytest.raises(QuantlibError, match="does not enlarge"):
        load(saved(network.state_dict(), tmp_path / "net.safetensors"))


@pytest.mark.parametrize("size", [(7, 16), (16, 3)])
def test_a_picture_smaller_than_the_window(size: tuple[int, int]) -> None:
    with pytest.raises(QuantlibError, match="smaller than the network's window of 8"):
        small()(torch.rand(1, 3, *size))


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(QuantlibError, match="upscales by 2, 3 or 4"):
        swinir.light(5)
    with pytest.raises(QuantlibError, match="cannot be shared"):
        swinir.light(2, features=10, heads=3)
