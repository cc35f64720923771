"""The stops of the tour, in their order."""

from pages.parts.tour import (
    channels,
    cost,
    depth,
    huffman,
    integers,
    learning,
    outlier,
    photograph,
    rounding,
    shift,
)
from pages.parts.tour.stop import Stop

STOPS: tuple[Stop, ...] = tuple(
    module.STOP
    for module in (
        photograph,
        rounding,
        outlier,
        channels,
        shift,
        huffman,
        cost,
        learning,
        depth,
        integers,
    )
)
