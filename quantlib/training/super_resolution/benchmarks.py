"""PSNR on the benchmarks that a run is measured on."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from quantlib.datasets.paired_folders import find_pairs
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.tensors import to_tensor, to_uint8

Benchmark = tuple[str, Path, Path]
"""Its name, the folder of originals and that of their reductions."""


def scorer(
    benchmarks: Sequence[Benchmark], scale: int
) -> Callable[[nn.Module], dict[str, list[float]]]:
    """What gives a network's PSNR in dB on every picture, by name of the benchmark.

    Raises a `QuantlibError` where pictures have no reduction by `scale`.
    """
    found = {name: find_pairs(high, low, scale) for name, high, low in benchmarks}

    @torch.inference_mode()
    def score(network: nn.Module) -> dict[str, list[float]]:
        return {
            name: [_psnr(network, high, low, scale) for _, high, low in pairs]
            for name, pairs in found.items()
        }

    return score


def _psnr(network: nn.Module, high: Path, low: Path, scale: int) -> float:
    result = to_uint8(network(to_tensor(read_picture_file(low).rgb)))
    truth = read_picture_file(high).rgb[: result.shape[0], : result.shape[1]]
    return round(psnr_y(result, truth, scale), 4)
