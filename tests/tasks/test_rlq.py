"""Networks that were trained with RLQ, through the pipeline and the command line."""

import json
from typing import Any

import numpy as np
import pytest

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.imaging.tensors import to_tensor
from quantlib.models import load
from quantlib.models.catalogue import bundled, rlq_twin
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import (
    default_pairs,
    measure,
    open_network,
    prepare,
    reduced,
    sample_for,
    sites_of,
    trained_bits,
)
from tests.deep_network import write_deep_network

LOW = np.random.default_rng(0).integers(0, 256, (16, 12, 3), np.uint8)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    return str(write_deep_network(tmp_path_factory.mktemp("deep") / "deep.safetensors", bits=3))


def quantized(file: str, settings: Settings):
    network = open_network(file, settings)
    return prepare(sites_of(network, settings.method), settings, default_pairs(network))


@pytest.mark.parametrize("depth", ["full", "half", "quarter"])
def test_rlq_measures_the_network_as_it_is(file, depth):
    settings = Settings("rlq", bits=3, depth=depth)
    network = quantized(file, settings)
    result = measure(network, LOW, 2)
    wanted = load(file).at_depth(depth)(to_tensor(LOW))
    found, _ = network.measure(to_tensor(LOW))
    assert np.array_equal(found.numpy(), wanted.numpy())
    encoded = network.encode(to_tensor(LOW))
    blocks = {"full": 4, "half": 2, "quarter": 1}[depth]
    assert len(encoded) == 2 * blocks
    learned = {name: size for name, size in result.ledger.sites.items() if name in encoded}
    assert {n: s.total for n, s in learned.items()} == {
        n: len(t.to_bytes()) for n, t in encoded.items()
    }
    for name, size in result.ledger.sites.items():
        assert name in encoded or size.total == size.fp32
    assert result.weights.total < result.weights.fp32


def test_dqa_on_the_activations_of_an_rlq_network(file):
    """With enough bits DQA gives what the network computes without rounding its activations."""
    settings = Settings("dqa", bits=8, extra_bits=4, important=1.0, depth="half")
    free = Settings("fp32", depth="half")
    fine, exact = (measure(quantized(file, s), LOW, 2) for s in (settings, free))
    assert np.abs(fine.rgb.astype(int) - exact.rgb.astype(int)).max() <= 1
    assert fine.weights == exact.weights
    assert fine.ledger.total.refinement > 0


def test_bits_that_the_network_was_not_trained_with(file):
    assert trained_bits(load(file)) == 3
    with pytest.raises(QuantlibError, match="trained with 3 bits"):
        open_network(file, Settings("rlq", bits=4))


def test_the_command_line_knows_method_and_bits(file, capsys):
    arguments = ["evaluate", "--model", file, "--sample", "cat", "--scale", "2", "--json"]
    assert main([*arguments, "--depth", "half"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {k: report[k] for k in ("method", "bits", "depth")} == {
        "method": "rlq",
        "bits": 3,
        "depth": "half",
    }
    assert report["weight_bytes"]["total"] < report["weight_bytes"]["fp32"]
    assert main([*arguments, "--bits", "2", "--method", "rlq"]) == 2
    assert "trained with 3 bits" in capsys.readouterr().err


@pytest.mark.parametrize(
    "entry", [e for e in bundled() if e.depths == "joint"], ids=lambda e: e.name
)
def test_bundled_super_networks_are_better_with_more_blocks(entry):
    low, truth = reduced(
        sample_for("coffee", entry.scale)[: 64 * entry.scale, : 64 * entry.scale], entry.scale
    )
    bits = trained_bits(load(entry.name))
    quality: list[Any] = [
        measure(
            quantized(entry.name, Settings("rlq", bits=bits, depth=depth)), low, entry.scale, truth
        ).psnr_y
        for depth in ("full", "half", "quarter")
    ]
    assert quality == sorted(quality, reverse=True)


def test_twins():
    for entry in bundled():
        if entry.depths == "joint":
            bits = trained_bits(load(entry.name))
            is_transformer = entry.architecture == "SwinIR"
            start = "quantsr-t-x{}-fp32" if is_transformer else "edsr-x{}"
            assert rlq_twin(f"builtin:{start.format(entry.scale)}", bits) == entry
    assert rlq_twin("builtin:edsr-x3", 4) is None
