"""The candidates of a greedy search as units of a sweep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from quantlib.cli.sweeping import in_order
from quantlib.imaging.files import read_picture_file
from quantlib.importance.greedy import Search
from quantlib.importance.pairs import Pair, pairs_from
from quantlib.models import SRNetwork, load
from quantlib.ptq import SiteNetwork
from quantlib.ptq.sites import Site
from quantlib.sweeps.contents import Files, Weights
from quantlib.sweeps.engines import Engine
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from quantlib.tasks.super_resolution import sites_of

_searching = Lock()


@dataclass(frozen=True)
class Candidates:
    """Tries a layer's candidates on an engine that is open, for `quantlib.importance.greedy`."""

    model: str
    files: tuple[Path, ...]
    bits: int
    engine: Engine
    kept: Kept | None
    remark: Callable[[str], None]

    def __call__(self, chosen: Sequence[int], site: Site, batches: Sequence[range]) -> list[Tensor]:
        contents = (Weights.of(self.model), *map(Files.at, self.files))
        units = [
            Unit(
                f"{site.name}, from channel {batch.start}",
                _work,
                (self.model, self.bits, tuple(chosen), site.name, batch),
                (self.files,),
                contents,
            )
            for batch in batches
        ]
        made = in_order(sweep(units, self.engine, self.kept, self.remark), units)
        return [torch.frombuffer(bytearray(scores), dtype=torch.float32) for scores in made]


def opened(network: SRNetwork, files: Sequence[Path]) -> tuple[SiteNetwork, list[Pair]]:
    """A network's sites, and pictures with their reductions."""
    pictures = [read_picture_file(file).rgb for file in files]
    return sites_of(network), pairs_from(pictures, network.scale)


def _work(
    model: str,
    bits: int,
    chosen: tuple[int, ...],
    site: str,
    candidates: range,
    files: tuple[Path, ...],
) -> bytes:
    """The qualities of some candidates of a layer, float32, after the channels chosen before it."""
    with _searching, torch.inference_mode():
        search = _search(model, Weights.of(model), files, tuple(map(Files.at, files)), bits)
        if search.kept != chosen[: len(search.kept)]:  # it is ahead, or on another way
            _search.cache_clear()
            search = _search(model, Weights.of(model), files, tuple(map(Files.at, files)), bits)
        search.follow(chosen)
        found = next(one for one in search.sites.sites if one.name == site)
        return search.qualities(found, candidates).numpy().tobytes()


@lru_cache(maxsize=1)
def _search(
    model: str, weights: Weights, files: tuple[Path, ...], contents: tuple[Files, ...], bits: int
) -> Search:
    """How far this process has come."""
    return Search(*opened(load(model), files), bits)
