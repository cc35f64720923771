"""Recipes of a SwinIR: its network, which layers are quantized, training, weights and card."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.architectures.swinir_network import SwinIR
from quantlib.qat.depth import DEPTHS
from quantlib.qat.scheme import quantized_layers, quantized_products
from quantlib.training.super_resolution.card import title_of
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network, train_recipe
from quantlib.training.super_resolution.runcard import quantized_where

RECIPE = Recipe(
    "swin",
    scale=2,
    features=8,
    blocks=4,
    architecture="swinir",
    group_layers=2,
    heads=2,
    steps=6,
    batch=2,
    patch=16,
    warmup=2,
    ema=0.9,
    seed=3,
    method="rlq",
    weight_bits=4,
    activation_bits=4,
    depths=True,
    plain_steps=3,
)


def test_all_linear_layers_of_the_blocks_are_quantized_and_nothing_else():
    network = fresh_network(RECIPE)
    assert isinstance(network, SwinIR)
    layers = quantized_layers(network)
    linear = [n for n, m in network.named_modules() if isinstance(m, torch.nn.Linear)]
    assert list(layers) == linear
    assert len(linear) == 4 * 2 * 4
    for layer in layers.values():
        assert layer.activation.shift.shape == (layer.weight.shape[1],)  # type: ignore[union-attr]
    assert not quantized_products(network)
    assert len(quantized_products(fresh_network(replace(RECIPE, products=True)))) == 8
    more = quantized_layers(fresh_network(replace(RECIPE, convolutions=True))).keys() - layers
    assert more == {f"layers.{i}.conv" for i in range(4)}


def test_the_card_says_which_operators():
    assert quantized_where(RECIPE) == (
        "all linear layers of the Swin blocks (qkv, proj, fc1, fc2); head, last convolution and "
        "upsampler, the convolutions of the groups, both attention products FP32"
    )
    everything = replace(RECIPE, convolutions=True, products=True, ends="8bit")
    assert "FP32" not in quantized_where(everything)
    assert "both attention products" in quantized_where(everything)
    assert quantized_where(replace(RECIPE, method="")) == "none"
    assert title_of(RECIPE) == "QuantSR-T ×2, W4A4 (bundled)"
    assert title_of(replace(RECIPE, method="", depths=False)) == "SwinIR ×2 (bundled)"


X = torch.rand(1, 3, 24, 16)


class Trained(NamedTuple):
    """The weights' file, and what the network in training made of X, one depth after the other."""

    weights: Path
    outputs: list[torch.Tensor]


@pytest.fixture(scope="module")
def trained(photographs, tmp_path_factory) -> Callable[[bool], Trained]:
    @cache
    def train(products: bool) -> Trained:
        outputs = []

        def validate(network: Any) -> dict[str, float]:
            with torch.no_grad():
                outputs.append(network(X))
            return {"set5": 30.0}

        recipe = replace(RECIPE, products=products)
        out = tmp_path_factory.mktemp("swin")
        report = train_recipe(recipe, [photographs], out, validate=validate)
        return Trained(Path(report["weights"]), outputs)

    return train


@pytest.mark.parametrize("products", [False, True])
def test_trained_weights_load_as_they_were_trained(products, trained):
    weights, outputs = trained(products)
    network = load(str(weights))
    assert network.depths == tuple(DEPTHS)
    assert network.is_quantized
    for depth, wanted in zip(DEPTHS, outputs[1:], strict=True):
        with torch.inference_mode():
            torch.testing.assert_close(network.at_depth(depth)(X), wanted)
    card = json.loads((weights.parent / "swin.json").read_text())
    assert (card["architecture"], card["scale"]) == ("SwinIR", 2)
    assert card["training"]["group_layers"] == 2
    assert (len(quantized_products(network)) == 8) == products
    stored = load(str(weights)).network.state_dict()
    assert not any("attn_mask" in name for name in stored)


def test_a_warm_start_takes_weights_and_shifts(trained):
    start = str(trained(False).weights)
    network = fresh_network(replace(RECIPE, start=start, weight_bits=2, activation_bits=2))
    before = load(start).network.state_dict()
    own = network.state_dict()
    for name in ("conv_first.weight", "layers.2.shortcut", "layers.0.conv.weight", "block_order"):
        assert torch.equal(own[name], before[name])
    shifts = [name for name in own if name.endswith(".shift")]
    assert len(shifts) == 32
    assert all(torch.equal(own[name], before[name]) for name in shifts)
    with pytest.raises(QuantlibError, match="another width or depth"):
        fresh_network(replace(RECIPE, start=start, blocks=3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"architecture": "vit"}, "trains no 'vit'"),
        ({"architecture": "edsr", "products": True}, "belong to a network with attention"),
        ({"heads": 3}, "cannot be shared"),
        ({"group_layers": 0}, "above zero"),
        ({"scale": 8}, "upscales by 2, 3 or 4"),
    ],
)
def test_recipes_that_cannot_be(change, said):
    with pytest.raises(QuantlibError, match=said):
        fresh_network(replace(RECIPE, **change))
