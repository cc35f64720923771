"""Layers have titles of their own in every architecture that is bundled, and no two the same."""

from collections import Counter

import pytest
from torch import nn

from pages.parts.shared.layer_titles import layer_title, with_module
from quantlib.models import load
from quantlib.models.architectures import pan
from quantlib.models.catalogue import (
    CLASSIFICATION,
    SEGMENTATION,
    SUPER_RESOLUTION,
    CatalogueEntry,
    every_bundled,
)
from quantlib.models.classifier import load_classifier
from quantlib.models.segmenter import load_segmenter
from quantlib.ptq.sites import LAYERS

LOADERS = {
    SUPER_RESOLUTION: load,
    CLASSIFICATION: load_classifier,
    SEGMENTATION: load_segmenter,
}


def layers_of(network: nn.Module) -> list[str]:
    return [name for name, layer in network.named_modules() if isinstance(layer, LAYERS)]


def titled(names: list[str]) -> None:
    titles = Counter(layer_title(name) for name in names)
    assert not [name for name in names if layer_title(name) == name]
    assert not [title for title, count in titles.items() if count > 1]


@pytest.mark.parametrize("entry", every_bundled(), ids=lambda entry: entry.name)
def test_every_layer_of_a_bundled_network_has_a_title_of_its_own(entry: CatalogueEntry):
    titled(layers_of(LOADERS[entry.task](entry.name).network))


def test_every_layer_of_pan_has_a_title_of_its_own():
    titled(layers_of(pan.PAN(scale=4)))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("body.7.body.2", "block 8, second convolution"),
        ("body.16", "convolution after the blocks"),
        ("layers.1.residual_group.blocks.0.attn.qkv", "group 2, block 1, queries, keys, values"),
        ("SCPA_trunk.15.PAConv.k3", "block 16, lower branch, second convolution"),
        ("layer2.0.conv1", "stage 2, block 1, first convolution"),
        ("features.1.conv.1", "block 1, projection"),
        ("features.2.conv.1", "features.2.conv.1"),
        ("up.3.3", "level 4 up, second convolution"),
    ],
)
def test_titles_say_where_a_layer_is(name, title):
    assert layer_title(name) == title


def test_the_modules_name_stands_beside_a_title():
    assert with_module("head.0") == "first convolution (head.0)"
    assert with_module("model.1") == "model.1"
