"""What a graph does to the sizes of pictures, and what that costs, found without computing it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.graphs.network import OnnxNetwork
from quantlib.models.graphs.plan import Step
from quantlib.models.sr_network import SizeRule
from quantlib.qat.layers.copying import structural_copy

MULTIPLES = (1, 2, 4, 8, 12, 16)
LEAST = 61, 83  # pixels of the sides that are tried, or more
LARGE = 320  # pixels a side of the largest picture that pages take in one piece
MOST_VALUES = 1 << 30
"""Elements that may be held at once for the large picture."""
SLOW = 32
"""Products that take as long as one value that is only moved or compared."""
MOST_PRODUCTS = 1e13
"""Products for the large picture: a hundred million for each pixel."""


class Probed(NamedTuple):
    """By how much a network enlarges, and which sizes it asks for."""

    scale: int
    size_rule: SizeRule


class _Cost:
    """What a pass takes; a QuantlibError as soon as it is more than there is."""

    def __init__(self, file: str) -> None:
        self.file, self.products = file, 0.0

    def __call__(
        self, step: Step, given: list[Any], made: list[Any], held: Mapping[str, Any]
    ) -> None:
        values = _count(held.values())
        work = _work(step, [one for one in given if isinstance(one, Tensor)])
        self.products += _count(made) * work + _count(given) * SLOW
        if values > MOST_VALUES or self.products > MOST_PRODUCTS:
            raise QuantlibError(
                f"{self.file} needs more memory or time for a picture of {LARGE}×{LARGE} pixels "
                "than there is; choose a smaller network."
            )


def _work(step: Step, tensors: list[Tensor]) -> int:
    """How many products each value of the result takes."""
    if step.layer:
        return step.work
    if step.kind in ("Conv", "ConvTranspose") and len(tensors) > 1:
        return tensors[1][0].numel()
    if step.kind in ("MatMul", "Gemm") and tensors:
        return max(tensors[0].shape[-2:])
    if step.kind == "Einsum":  # at most: each factor has all axes that are summed over
        return max(one.numel() for one in tensors)
    return step.work * SLOW


def _count(values: Iterable[Any]) -> int:
    return sum(one.numel() for one in values if isinstance(one, Tensor))


def probe(network: OnnxNetwork, file: str, sides: tuple[int, int]) -> Probed:
    """Scale and size rule of `network`, whose input states `sides`, 0 for any.

    Raises a `QuantlibError` where it runs at one size only, does not enlarge by a whole number, or
    needs too much.
    """
    shapes = _Shapes(network)
    multiple, (tall, wide) = _multiple(shapes, file, sides)
    if not multiple or tall != wide or tall != round(tall):
        told = f"{tall:.4g}" if multiple else f"about {tall:.2g}"
        raise QuantlibError(
            f"{file} enlarges {told} times; choose a network whose scale is a whole number."
        )
    scale = round(tall)
    if scale < 2:
        raise QuantlibError(
            f"{file} does not enlarge pictures (×{scale}); choose a super-resolution network."
        )
    rule = SizeRule(_minimum(shapes, multiple, scale), multiple)
    large = LARGE + rule.padding(LARGE)
    shapes.network.run(torch.zeros(1, 3, large, large, device="meta"), _Cost(file))
    return Probed(scale, rule)


class _Shapes:
    """The network without values, which allocates nothing."""

    def __init__(self, network: OnnxNetwork) -> None:
        self.network = structural_copy(network).to("meta")

    def ratios(self, height: int, width: int) -> tuple[float, float] | None:
        """How many times larger the result is; None where there is none."""
        try:
            made = self.network.run(torch.zeros(1, 3, height, width, device="meta"))
        except QuantlibError:
            return None
        if not isinstance(made, Tensor) or made.dim() != 4 or made.shape[:2] != (1, 3):
            return None
        return made.shape[2] / height, made.shape[3] / width


def _multiple(
    shapes: _Shapes, file: str, sides: tuple[int, int]
) -> tuple[int, tuple[float, float]]:
    """The least side whose multiples all come out enlarged by the same, and by how much.

    It is 0 where there is none, though pictures are enlarged.
    """
    seen: tuple[float, float] | None = None
    for multiple in MULTIPLES:
        height, width = ((-(-least // multiple) | 1) * multiple for least in LEAST)
        ratios = shapes.ratios(height, width)
        if ratios is not None and ratios == shapes.ratios(width, height + 2 * multiple):
            return multiple, ratios
        seen = ratios or seen
    if seen is not None:
        return 0, seen
    if all(sides):
        raise QuantlibError(
            f"{file} is made for pictures of {sides[1]}×{sides[0]} pixels only; export it with "
            "dynamic height and width."
        )
    try:
        shapes.network.run(torch.zeros(1, 3, 128, 128, device="meta"))
    except QuantlibError as error:
        raise QuantlibError(
            f"{file} runs on pictures of no size that was tried ({error.args[0].split(' of ')[0]} "
            "cannot be computed); export it with dynamic height and width."
        ) from error
    raise QuantlibError(
        f"{file} does not make an RGB picture of an RGB picture; choose a super-resolution network."
    )


def _minimum(shapes: _Shapes, multiple: int, scale: int) -> int:
    """The least side that comes out enlarged, in pixels."""
    low, high = 0, -(-LEAST[0] // multiple) | 1  # not enough, and enough
    while high - low > 1:
        middle = (low + high) // 2
        side = middle * multiple
        fits = shapes.ratios(side, side) == (scale, scale)
        low, high = (low, middle) if fits else (middle, high)
    return high * multiple
