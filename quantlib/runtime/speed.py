"""What integers buy in time and bytes, held against FP32 in PyTorch and ONNX Runtime in one run."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork, load
from quantlib.models.architectures.pan import PAN
from quantlib.requirement import Ceiling, Requirement, in_turns
from quantlib.runtime.agreement import decibels, equal_codes
from quantlib.runtime.ceiling import bare_convolutions
from quantlib.runtime.integer import integer_network
from quantlib.runtime.lowering import lower
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_running import open_onnx
from quantlib.runtime.side_by_side import threads

LEARNED, TWIN = "builtin:quantsr-c-x2-w4a4", "builtin:edsr-x2"
TRANSFORMER, TRANSFORMER_TWIN = "builtin:quantsr-t-x2-w4a4", "builtin:quantsr-t-x2-fp32"
PLAIN = (TWIN, "builtin:edsr-x4")
SIDE, SMALL, THREADS, REPEATS = 256, 128, 2, 5
EAGER, IN_ONNX = "FP32 in PyTorch", "FP32 in ONNX Runtime"


def requirements() -> list[Requirement]:
    """Every requirement of integers, measured here and now with two threads.

    Times are those of one 256×256 photograph; works that are held against each other take turns.
    """
    with threads(THREADS), torch.inference_mode():
        return [*_learned(), *_body(), *_agreement(), *_eight_bits(), *_transformer(), _size()]


def ceilings() -> list[Ceiling]:
    """What no integer form of EDSR can exceed here, for the requirements that it bounds."""
    with threads(THREADS), torch.inference_mode():
        network = load(TWIN).network
        body = nn.Sequential(*network.residual_blocks)  # type: ignore[arg-type]
        features = network.head(_photograph(SIDE))  # type: ignore[operator]
        return [
            Ceiling("EDSR ×2", _ceiling(network, _photograph(SIDE))),
            Ceiling("EDSR ×2, body alone", _ceiling(body, features)),
        ]


def _ceiling(network: nn.Module, x: Tensor) -> float:
    bare = bare_convolutions(network, x)
    seconds = in_turns({EAGER: lambda: network(x), "bare": bare}, REPEATS)
    return seconds[EAGER] / seconds["bare"]


def _learned() -> Iterator[Requirement]:
    network, twin = load(LEARNED), load(TWIN)
    seconds = _seconds(
        {
            EAGER: twin,
            IN_ONNX: open_onnx(export_onnx(twin, "fp32")),
            "ends in 8 bits": integer_network(network, "int8"),
            "ends in FP32": integer_network(network),
        }
    )
    faster = seconds["ends in 8 bits"]
    yield _faster("W4A4, ends in 8 bits", seconds[EAGER] / faster, EAGER, 3.5)
    yield _faster("W4A4, ends in 8 bits", seconds[IN_ONNX] / faster, IN_ONNX, 2.3)
    yield _faster("W4A4, ends in FP32", seconds[EAGER] / seconds["ends in FP32"], EAGER, 2.3)


def _body() -> Iterator[Requirement]:
    network, twin = (load(name).network for name in (LEARNED, TWIN))
    features = twin.head(_photograph(SIDE))  # type: ignore[operator]
    learned, plain = (nn.Sequential(*net.residual_blocks) for net in (network, twin))  # type: ignore[arg-type]
    seconds = _seconds({EAGER: plain, "integers": lower(learned).network}, features)
    yield _faster("W4A4, body alone", seconds[EAGER] / seconds["integers"], EAGER, 4.5)


def _agreement() -> Iterator[Requirement]:
    """How near integers come to the network that they are made of."""
    network = load(LEARNED)
    integers = integer_network(network)
    for side in (SMALL, SIDE):
        x = _photograph(side)
        likeness = decibels(integers(x), network(x))
        yield Requirement(f"W4A4 on {side}×{side}, dB to the simulated output", likeness, 55)
    share = 100 * equal_codes(network, _photograph(SMALL))
    yield Requirement(f"W4A4 on {SMALL}×{SMALL}, % of codes equal at every layer", share, 99.9)


def _eight_bits() -> Iterator[Requirement]:
    for name, network in [*((name, load(name)) for name in PLAIN), ("PAN ×2, random", _pan())]:
        integers = open_onnx(export_onnx(network, "int8"))
        seconds = _seconds({EAGER: network, "integers": integers})
        yield _faster(f"{name}, 8 bits", seconds[EAGER] / seconds["integers"], EAGER, 2.5)


def _transformer() -> Iterator[Requirement]:
    network, twin = load(TRANSFORMER), load(TRANSFORMER_TWIN)
    seconds = _seconds({EAGER: twin, "integers": integer_network(network)})
    figure = seconds[EAGER] / seconds["integers"]
    yield _faster("QuantSR-T W4A4", figure, EAGER, 1.3)


def _size() -> Requirement:
    plain, learned = export_onnx(load(TWIN), "fp32"), export_onnx(load(LEARNED))
    smaller = len(plain) / len(learned)
    return Requirement("ONNX file of W4A4, times smaller than in FP32", smaller, 1 / 0.3)


def _faster(what: str, figure: float, than: str, required: float) -> Requirement:
    return Requirement(f"{what}, times faster than {than}", figure, required)


def _seconds(works: dict[str, Any], x: Tensor | None = None) -> dict[str, float]:
    given = _photograph(SIDE) if x is None else x
    return in_turns({name: lambda w=work: w(given) for name, work in works.items()}, REPEATS)


def _photograph(side: int) -> Tensor:
    return to_tensor(load_sample("cat", side).rgb)


def _pan() -> SRNetwork:
    """PAN as its authors publish it in size; weights decide nothing about time."""
    torch.manual_seed(0)
    return SRNetwork(PAN(2).eval(), "PAN", 2)
