"""From a budget to a result: what is spent is what the serialised bytes take."""

import json

import numpy as np
import pytest

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork, load
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.tasks import tiles
from quantlib.tasks.super_resolution import (
    default_pairs,
    measure,
    prepare,
    reduced,
    sample_for,
    sites_of,
)
from tests.deep_network import write_deep_network


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> SRNetwork:
    return load(str(write_deep_network(tmp_path_factory.mktemp("deep") / "deep.safetensors", 3)))


@pytest.fixture(scope="module")
def quantized(network) -> QuantizedNetwork:
    settings = Settings("entropy", bits_per_activation=2.0)
    return prepare(sites_of(network, "entropy"), settings, default_pairs(network))


LOW = np.random.default_rng(0).integers(0, 256, (40, 44, 3), np.uint8)


def test_bytes_are_those_that_are_stored(quantized):
    x = to_tensor(LOW)
    output, sizes = quantized.measure(x)
    stored = {name: encoded.to_bytes() for name, encoded in quantized.encode(x).items()}
    assert {name: size.total for name, size in sizes.items()} == {
        name: len(payload) for name, payload in stored.items()
    }
    assert output.isfinite().all()


@pytest.mark.parametrize("tiled", [False, True])
def test_the_budget_is_kept(quantized, network, tiled, monkeypatch):
    if tiled:
        monkeypatch.setattr(tiles, "WHOLE_PIXELS", 100)
        monkeypatch.setattr(tiles, "TILE", 24)
    result = measure(quantized, LOW, network.scale)
    assert 1.7 < result.ledger.bits_per_activation <= 2.0


def test_a_budget_that_cannot_be_met(quantized, network):
    sites = quantized.site_network
    poor = QuantizedNetwork(
        sites, Settings("entropy", bits_per_activation=0.001), frozen=quantized.frozen
    )
    with pytest.raises(QuantlibError, match=r"0\.001 bits per activation are too few"):
        measure(poor, LOW, network.scale)


@pytest.mark.parametrize("budget", [0.0, -1.0, 33.0, float("nan")])
def test_impossible_budgets(budget):
    with pytest.raises(QuantlibError, match="cannot be met"):
        Settings("entropy", bits_per_activation=budget)


def test_half_the_bytes_of_direct_quantization_and_less_error():
    """The bundled network on a photograph: 2 bits against packed uniform codes of 4."""
    network = load("builtin:edsr-x2")
    sites, pairs = sites_of(network), default_pairs(network)[:2]
    low, truth = reduced(sample_for("cat", 2)[:96, :96], 2)
    found = {}
    for settings in (
        Settings("entropy", bits_per_activation=2.0),
        Settings("direct", bits=4, clip="mse", unsigned=True),
    ):
        found[settings.method] = measure(prepare(sites, settings, pairs), low, 2, truth)
    entropy, direct = found["entropy"], found["direct"]
    assert entropy.ledger.total.total < 0.51 * direct.ledger.total.total
    assert entropy.psnr_y is not None and direct.psnr_y is not None
    assert entropy.psnr_y > direct.psnr_y


def test_the_command_line(capsys, network):
    arguments = ["evaluate", "--model", network.name, "--sample", "cat", "--scale", "2", "--json"]
    assert not main([*arguments, "--method", "entropy", "--bits-per-activation", "1.5"])
    report = json.loads(capsys.readouterr().out)
    assert report["method"] == "entropy" and report["bits"] is None
    assert 1.3 < report["bits_per_activation"] <= 1.5
    assert main([*arguments, "--method", "entropy", "--bits-per-activation", "0"]) == 2
    assert "cannot be met" in capsys.readouterr().err


def test_the_ledger_names_every_site(quantized, network):
    result = measure(quantized, LOW, network.scale)
    assert isinstance(result.ledger, Ledger)
    assert list(result.ledger.sites) == [site.name for site in quantized.site_network.sites]
