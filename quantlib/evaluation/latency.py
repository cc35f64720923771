"""What DQA adds to every layer: operations counted, and the time of every stage on this machine."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from quantlib.coding import compiled
from quantlib.errors import QuantlibError
from quantlib.evaluation.operations import macs_of, operation_counts
from quantlib.evaluation.timing import timed
from quantlib.ptq import QuantizedNetwork, Site
from quantlib.quantizers.dqa import DQAQuantizer

STAGES = ("quantize", "shift", "encode", "decode", "dequantize")


@dataclass(frozen=True)
class Stage:
    """Median seconds on this machine, and operations as `OperationCounts` counts them."""

    seconds: float
    operations: int

    def __add__(self, other: "Stage") -> "Stage":
        return Stage(self.seconds + other.seconds, self.operations + other.operations)


@dataclass(frozen=True)
class LayerLatency:
    """One site: `layer` are the multiply-accumulates and seconds of the layers that it feeds.

    `stages` are DQA's own by the names of `STAGES`. Quantizing runs in floating point and the
    coders on one core, so the times say what this implementation costs, not what another would.
    """

    site: str
    layer: Stage
    stages: Mapping[str, Stage]

    @property
    def added(self) -> Stage:
        """All stages together."""
        return sum(self.stages.values(), Stage(0.0, 0))

    def time_ratio(self, stage: str) -> float:
        """Seconds of a stage relative to those of the layer."""
        return self.stages[stage].seconds / self.layer.seconds

    def operation_ratio(self, stage: str) -> float:
        """Operations of a stage relative to the layer's multiply-accumulates."""
        return self.stages[stage].operations / self.layer.operations

    def as_dict(self) -> dict:
        """Numbers under the names of the command line's JSON."""
        return {
            "site": self.site,
            "layer": {"milliseconds": 1000 * self.layer.seconds, "macs": self.layer.operations},
            "stages": {
                name: {
                    "milliseconds": 1000 * stage.seconds,
                    "operations": stage.operations,
                    "time_relative_to_layer": self.time_ratio(name),
                    "operations_relative_to_layer": self.operation_ratio(name),
                }
                for name, stage in self.stages.items()
            },
        }


@torch.inference_mode()
def measure_latency(
    network: QuantizedNetwork,
    x: Tensor,
    only: Collection[str] | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
    repeats: int = 3,
) -> list[LayerLatency]:
    """Stages and layers of all sites, or of those named in `only`, for `x` `(1, 3, H, W)`.

    A QuantlibError for other methods than DQA.
    """
    if not network.settings.entry.shifts:
        raise QuantlibError("Only DQA has these stages; choose the method dqa to time them.")
    compiled.warm()
    sites = network.site_network
    total = len(sites.sites) if only is None else len(only)
    found: list[LayerLatency] = []

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        quantizer = network.quantizer(site, a)
        assert isinstance(quantizer, DQAQuantizer)
        if only is None or site.name in only:
            watch(len(found), total)
            layers = list(sites.layers(site).values())
            found.append(_layer_latency(network, site, quantizer, a, layers, repeats))
        return quantizer(a)

    sites.run(x, visit)
    watch(total, total)
    return found


def all_layers(layers: Iterable[LayerLatency]) -> LayerLatency:
    """The sums over all layers.

    >>> stages = dict.fromkeys(STAGES, Stage(0.5, 10))
    >>> both = all_layers([LayerLatency(name, Stage(2.0, 100), stages) for name in "ab"])
    >>> both.layer, both.time_ratio("shift"), both.operation_ratio("shift")
    (Stage(seconds=4.0, operations=200), 0.25, 0.1)
    """
    known = list(layers)
    nothing = Stage(0.0, 0)
    return LayerLatency(
        "all",
        sum((one.layer for one in known), nothing),
        {name: sum((one.stages[name] for one in known), nothing) for name in STAGES},
    )


def _layer_latency(
    network: QuantizedNetwork,
    site: Site,
    quantizer: DQAQuantizer,
    a: Tensor,
    layers: list[nn.Module],
    repeats: int,
) -> LayerLatency:
    q, quantizing = timed(lambda: quantizer.widened(a), repeats)
    (codes, errors), shifting = timed(lambda: quantizer.split(q), repeats)
    encoded, encoding = timed(lambda: quantizer.coded(codes, errors), repeats)
    widened, decoding = timed(encoded.widened, repeats)
    values, dequantizing = timed(lambda: encoded.dequantize(widened), repeats)

    # forward() and not a call: a call would visit the site again.
    _, own = timed(lambda: [layer.forward(values) for layer in layers], repeats)
    macs = macs_of(lambda: [layer.forward(values) for layer in layers])
    refined = errors.numel() if quantizer.extra_bits else 0
    counts = operation_counts(network.settings, macs, a.numel(), refined)
    seconds = (quantizing, shifting, encoding, decoding, dequantizing)
    stages = {
        name: Stage(spent, getattr(counts, name))
        for name, spent in zip(STAGES, seconds, strict=True)
    }
    return LayerLatency(site.name, Stage(own, macs), stages)
