"""Stages of DQA: operations against fingers, and times that are there."""

import pytest
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.evaluation.latency import STAGES, all_layers, measure_latency
from quantlib.evaluation.operations import count_operations
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings, SiteNetwork, quantize

FEATURES, BLOCKS = 6, 2
PICTURE = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
PIXELS = 9 * 7


def quantized(settings: Settings):
    sites = SiteNetwork(EDSR(2, FEATURES, BLOCKS).eval(), PICTURE)
    masks = {s.name: torch.arange(s.channels) < 1 + i % 3 for i, s in enumerate(sites.sites)}
    return quantize(sites, settings, masks)


@pytest.mark.parametrize("method", ["dqa", "dqa-ans"])
def test_operations_of_every_layer(method):
    network = quantized(Settings(method, 3, 2))
    found = measure_latency(network, PICTURE)
    assert [one.site for one in found] == [site.name for site in network.site_network.sites]
    for one in found:
        elements = FEATURES * PIXELS
        refined = int(network.masks[one.site].sum()) * PIXELS
        coded = refined + elements * (method == "dqa-ans")
        outputs = 4 * FEATURES if one.site == "tail.0.0" else FEATURES
        assert one.layer.operations == 9 * FEATURES * outputs * PIXELS
        counts = [one.stages[name].operations for name in STAGES]
        assert counts == [elements, refined, coded, coded, elements]
        assert one.operation_ratio("quantize") == elements / one.layer.operations


def test_sums_are_those_of_the_whole_network():
    network = quantized(Settings("dqa", 3, 2))
    total = all_layers(measure_latency(network, PICTURE))
    counts = count_operations(network, PICTURE, network.measure(PICTURE)[1])
    for name in STAGES:
        assert total.stages[name].operations == getattr(counts, name)
    ends = 9 * 3 * FEATURES * PIXELS + 9 * FEATURES * 3 * 4 * PIXELS  # not quantized
    assert total.layer.operations == counts.macs - ends


def test_times():
    (one,) = measure_latency(quantized(Settings("dqa", 3, 2)), PICTURE, only=["body.2"])
    assert one.site == "body.2" and one.layer.seconds > 0
    assert all(stage.seconds > 0 for stage in one.stages.values())
    assert one.added.seconds == pytest.approx(sum(s.seconds for s in one.stages.values()))
    report = one.as_dict()
    ratio = report["stages"]["encode"]["milliseconds"] / report["layer"]["milliseconds"]
    assert report["stages"]["encode"]["time_relative_to_layer"] == pytest.approx(ratio)


def test_no_extra_bits_shift_nothing():
    for one in measure_latency(quantized(Settings("dqa", 3, 0)), PICTURE):
        assert [one.stages[name].operations for name in ("shift", "encode", "decode")] == [0] * 3


def test_a_site_that_feeds_several_layers_is_held_against_all_of_them():
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.d = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 1)
            self.b, self.c = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.a(x)
            return self.d(self.b(x) + self.c(x))

    sites = SiteNetwork(Branches(), PICTURE)
    masks = {site.name: torch.tensor([True, False, False, False]) for site in sites.sites}
    (one,) = measure_latency(quantize(sites, Settings("dqa", 3, 2), masks), PICTURE)
    assert one.layer.operations == PIXELS * (4 * 4 + 9 * 4 * 4)


def test_only_dqa_has_stages():
    with pytest.raises(QuantlibError, match="Only DQA has these stages"):
        measure_latency(quantized(Settings("direct", 3)), PICTURE)


def test_progress():
    calls = []
    measure_latency(
        quantized(Settings("dqa")), PICTURE, watch=lambda done, total: calls.append((done, total))
    )
    assert calls == [(done, 6) for done in range(7)]
