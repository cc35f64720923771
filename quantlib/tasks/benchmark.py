"""Super-resolution of pairs of pictures in two folders, the form in which benchmarks come."""

from functools import cache
from pathlib import Path

import numpy as np

from quantlib.datasets.paired_folders import find_pairs
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.models.loading import load, read_network
from quantlib.ptq import QuantizedNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks.bench import Bench, BenchPlan, Code
from quantlib.tasks.super_resolution import default_pairs, measure, open_network, sites_of

Pair = tuple[str, Path, Path]


def bench(plan: BenchPlan, model: str, folder: Path) -> Bench:
    """PSNR on Y, picture by picture; channels are ranked on crops of the sample photographs."""
    network = load(model)
    pairs = find_pairs(folder / plan.data, folder / plan.low, network.scale)
    pictures = _Pictures(pairs[: plan.pictures or None], network.scale)
    return Bench(sites_of(network), default_pairs(network), pictures.score)


class _Pictures:
    """Pairs that are read once, when they are first looked at."""

    def __init__(self, pairs: list[Pair], scale: int) -> None:
        self.pairs, self.scale = pairs, scale
        self._read = cache(lambda path: read_picture_file(path).rgb)

    def score(self, network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found, sizes = [], dict[str, ByteSizes]()
        for _, high, low in self.pairs:
            made = measure(network, self._read(low), self.scale)
            found.append(psnr_y(made.rgb, self._truth(high, made.rgb), self.scale))
            add_sizes(sizes, made.ledger.sites)
        return found, Ledger(sizes)

    def _truth(self, high: Path, made: np.ndarray) -> np.ndarray:
        return self._read(high)[: made.shape[0], : made.shape[1]]


CODE = Code(load=load, decode=read_network, sites_of=sites_of, bench=bench, open=open_network)
