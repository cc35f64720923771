"""What a pass holds at once and what it moves, measured, for activations kept in several ways."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from quantlib.evaluation.held import BytesHeld
from quantlib.imaging.samples import load_sample, mirrored
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork, load
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.ptq.methods import DIRECT, DQA, FP32
from quantlib.requirement import Requirement
from quantlib.runtime.bands import InBands
from quantlib.runtime.holding import CompressedActivations
from quantlib.runtime.integer import integer_network
from quantlib.tasks.super_resolution import default_pairs, prepare, sites_of

MODEL, LEARNED = "builtin:edsr-x2", "builtin:quantsr-c-x2-w4a4"
SIDES = (256, 512)
LARGE, ROWS, SMALLER = 1024, 64, 4.0
KEPT = (Settings(FP32.name), Settings(DIRECT.name, bits=4), Settings(DQA.name, bits=3))


@dataclass(frozen=True)
class Held:
    """`peak` are the most bytes held at once; `moved` those written and read between operations.

    What is moved is None where nobody counts it: inside of integer kernels.
    """

    form: str
    side: int
    peak: int
    moved: int | None


def held(sides: tuple[int, ...] = SIDES) -> Iterator[Held]:
    """FP32, codes between the layers, codes for sums too, integers, and bands, on a photograph."""
    network = load(MODEL)
    sites, pairs = sites_of(network), default_pairs(network)
    quantized = [prepare(sites, settings, pairs) for settings in KEPT]
    integers = integer_network(load(LEARNED))
    bands = InBands(network, network, ROWS)
    for side in sides:
        x = photograph(side)
        yield from (_held(one, x, residuals=False) for one in quantized)
        yield from (_held(one, x, residuals=True) for one in quantized[1:])
        yield Held("W4A4 as integers", side, peak(integers, x), None)
        yield Held(f"FP32 in bands of {ROWS} rows", side, peak(bands, x), None)


def _held(network: QuantizedNetwork, x: Tensor, residuals: bool) -> Held:
    compute = CompressedActivations(network, residuals)
    title = network.settings.summary + (", sums read codes too" if residuals else "")
    return Held(title, x.shape[-1], peak(compute, x), compute.moved)


def requirements(side: int = LARGE) -> list[Requirement]:
    """Bands against the whole picture in FP32; their results are equal."""
    network: SRNetwork = load(MODEL)
    bands, x = InBands(network, network, ROWS), photograph(side)
    smaller = peak(network, x) / peak(bands, x)
    name = f"Bands of {ROWS} rows at {side}×{side}, times less held at once than FP32 whole"
    return [Requirement(name, smaller, SMALLER)]


def peak(compute: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """The most bytes that `compute(x)` holds at once, once it is warm."""
    with torch.inference_mode():
        compute(x[..., :32, :32])
        with BytesHeld() as bytes_held:
            compute(x)
    return bytes_held.peak


def photograph(side: int) -> Tensor:
    """A sample photograph, mirrored where it ends, `(1, 3, side, side)`."""
    return to_tensor(mirrored(load_sample("cat", min(side, 256)).rgb, side))
