"""PSNR on the benchmarks that a run is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from quantlib.datasets.paired_folders import find_pairs
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.sweeps.contents import Files

Benchmark = tuple[str, Path, Path]
"""Its name, the folder of originals and that of their reductions."""


@dataclass(frozen=True)
class Scorer:
    """What gives a network's PSNR in dB on every picture, by name of the benchmark.

    A value that any process can be given; `places` are the folders, by benchmark.
    """

    names: tuple[str, ...]
    scale: int
    places: tuple[tuple[Path, Path], ...] = field(repr=False)

    @torch.inference_mode()
    def __call__(self, network: nn.Module) -> dict[str, list[float]]:
        return {
            name: [_psnr(network, high, low, self.scale) for _, high, low in pairs]
            for name, pairs in self._pairs().items()
        }

    @property
    def contents(self) -> tuple[Files, ...]:
        """What is read."""
        return tuple(Files.at(folder) for both in self.places for folder in both)

    def _pairs(self) -> dict[str, list[tuple[str, Path, Path]]]:
        together = zip(self.names, self.places, strict=True)
        return {name: find_pairs(*both, self.scale) for name, both in together}


def scorer(benchmarks: Sequence[Benchmark], scale: int) -> Scorer:
    """The scorer of these benchmarks.

    Raises a `QuantlibError` where pictures have no reduction by `scale`.
    """
    names = tuple(name for name, _, _ in benchmarks)
    places = tuple((high.absolute(), low.absolute()) for _, high, low in benchmarks)
    made = Scorer(names, scale, places)
    made._pairs()
    return made


def _psnr(network: nn.Module, high: Path, low: Path, scale: int) -> float:
    result = to_uint8(network(to_tensor(read_picture_file(low).rgb)))
    truth = read_picture_file(high).rgb[: result.shape[0], : result.shape[1]]
    return round(psnr_y(result, truth, scale), 4)
