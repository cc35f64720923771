"""A super-resolution network in every form that runs here: time, memory, bytes and quality."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.evaluation.held import BytesHeld
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import SRNetwork
from quantlib.models.saving import packed_file
from quantlib.runtime.forms import BYTES, FULL, LEARNED
from quantlib.runtime.integer import ENDS, integer_network
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_running import open_onnx
from quantlib.runtime.shares import shares_in_onnx, shares_in_pytorch

Compute = Callable[[Tensor], Tensor]
Watch = Callable[[int, int], None]
PYTORCH, ONNX = "PyTorch", "ONNX Runtime"


@dataclass(frozen=True, eq=False)
class Way:
    """One form of a network: `prepare` gives what computes it and the bytes of its file."""

    title: str
    engine: str
    prepare: Callable[[], tuple[Compute, bytes]]


@dataclass(frozen=True)
class Cost:
    """What one way takes on one picture, measured here; the first way is the reference.

    `seconds` are those of every round, `held` the most bytes that were held at once (None where
    the engine does not tell), `file` the bytes of its weights (0 where there is no such file),
    `shares` where the time goes. `why_not` says why a network has no such
    form; nothing else is known then.
    """

    title: str
    engine: str
    seconds: tuple[float, ...] = ()
    held: int | None = None
    file: int = 0
    psnr_y: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    why_not: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the way from the fastest round to the slowest, in seconds."""
        return (max(self.seconds) - min(self.seconds)) / 2


def ways(network: SRNetwork, learned: SRNetwork | None) -> list[Way]:
    """What `network`, in full precision, and its RLQ twin can be run as, FP32 in PyTorch first."""
    found = [
        Way("FP32", PYTORCH, lambda: (network, packed_file(network))),
        Way("FP32", ONNX, lambda: _exported(network, FULL)),
        Way("8 bits after training", PYTORCH, lambda: (_integers(network, ENDS[1]), b"")),
        Way("8 bits after training", ONNX, lambda: _exported(network, BYTES)),
    ]
    if learned is not None:
        found += [way for depth in learned.depths for way in _learned(learned, depth)]
    return found


def _learned(network: SRNetwork, depth: str) -> Iterator[Way]:
    at = network.at_depth(depth)
    for ends, said in zip(ENDS, ("ends in FP32", "ends in 8 bits"), strict=True):
        yield Way(
            f"RLQ, {depth}, {said}",
            PYTORCH,
            lambda ends=ends: (_integers(at, ends), packed_file(network)),
        )
    yield Way(f"RLQ, {depth}", ONNX, lambda: _exported(at, LEARNED))


def _integers(network: SRNetwork, ends: str) -> Compute:
    made = integer_network(network, ends)
    if len(made.kept) == len(made.layers):
        raise QuantlibError(f"No layer runs as integers: {made.kept[0].why_not}.")
    return made


def _exported(network: SRNetwork, form: str) -> tuple[Compute, bytes]:
    content = export_onnx(network, form)
    return open_onnx(content), content


@torch.inference_mode()
def costs(
    ways: Sequence[Way],
    low: np.ndarray,
    truth: np.ndarray | None = None,
    rounds: int = 5,
    watch: Watch = lambda done, total: None,
) -> list[Cost]:
    """What each of `ways` takes to enlarge `low`, `uint8 (H, W, 3)`; they take turns in rounds.

    `watch(done, total)` is called between steps; what it raises ends the work.

    >>> from quantlib.models.architectures.edsr import EDSR
    >>> small = SRNetwork(EDSR(2, features=4, blocks=1), "EDSR", 2)
    >>> found = costs(ways(small, None)[:2], np.zeros((16, 16, 3), np.uint8), rounds=2)
    >>> [(cost.engine, len(cost.seconds)) for cost in found]
    [('PyTorch', 2), ('ONNX Runtime', 2)]
    """
    x, steps = to_tensor(low), len(ways) * (1 + rounds)
    found: list[Cost] = []
    ready: dict[int, Compute] = {}
    for at, way in enumerate(ways):
        watch(at, steps)
        try:
            ready[at], content = way.prepare()
        except QuantlibError as error:
            found.append(Cost(way.title, way.engine, why_not=str(error)))
        else:
            found.append(_cost(way, ready[at], content, x, truth))
    seconds: dict[int, list[float]] = {at: [] for at in ready}
    done = len(ways)
    for _ in range(rounds):
        for at, compute in ready.items():
            watch(done, steps)
            started = perf_counter()
            compute(x)
            seconds[at].append(perf_counter() - started)
            done += 1
    watch(steps, steps)
    return [replace(one, seconds=tuple(seconds.get(at, ()))) for at, one in enumerate(found)]


def _cost(way: Way, compute: Compute, content: bytes, x: Tensor, truth: np.ndarray | None) -> Cost:
    """All but the time. The first of these passes warms up."""
    y = to_uint8(compute(x))
    psnr = None if truth is None else psnr_y(y, truth, scale=y.shape[0] // x.shape[-2])
    cost = Cost(way.title, way.engine, file=len(content), psnr_y=psnr)
    if way.engine == ONNX:
        return replace(cost, shares=shares_in_onnx(content, x))
    with BytesHeld() as held:
        compute(x)
    return replace(cost, held=held.peak, shares=shares_in_pytorch(compute, x))
