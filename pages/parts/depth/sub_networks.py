"""Super-networks and their sub-networks, measured once for whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.parts.shared.caching import shared
from pages.parts.shared.progress import all_results
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.pictures import Subject
from quantlib.models import SRNetwork, load
from quantlib.models.catalogue import CatalogueEntry, bundled
from quantlib.qat.depth import DEPTHS
from quantlib.tasks.super_networks import (
    SubNetwork,
    random_blocks,
    skip_order,
    through_blocks,
    with_8bit_ends,
)

DRAWS = 5


@dataclass(frozen=True, eq=False)
class Depths:
    """One picture through a super-network at every depth.

    `curve` is by the number of blocks, kept by their learned shortcuts; `random` are draws of as
    many blocks as `chosen` keeps; `alone` are networks that were trained at one depth, by depth.
    """

    curve: dict[int, SubNetwork]
    random: list[SubNetwork]
    alone: dict[str, SubNetwork]
    chosen: SubNetwork

    @property
    def full(self) -> SubNetwork:
        return self.curve[len(self.curve)]

    @property
    def trained_depth(self) -> str | None:
        """The name of the chosen depth, if it was trained."""
        by_blocks = {len(self.curve) // divisor: depth for depth, divisor in DEPTHS.items()}
        return by_blocks.get(len(self.chosen.kept))


def super_networks() -> dict[str, CatalogueEntry]:
    """The bundled networks with three depths, by name."""
    return {entry.name: entry for entry in bundled() if entry.depths == "joint"}


def trained_alone(name: str) -> dict[str, str]:
    """Networks whose blocks of one depth were trained by themselves: depth and name."""
    return {
        entry.depths: entry.name
        for entry in bundled()
        if entry.depths not in ("", "joint") and entry.name == f"{name}-{entry.depths}"
    }


@shared(megabytes=128)
def loaded_super_network(name: str) -> SRNetwork:
    return load(name)


@shared(megabytes=128)
def _through(name: str, kept: tuple[int, ...], digest: str, _subject: Subject) -> SubNetwork:
    network = loaded_super_network(name)
    return on_worker(through_blocks, network, kept, _subject.low, _subject.truth)


@shared(megabytes=64)
def _with_8bit_ends(name: str, kept: tuple[int, ...], digest: str, _subject: Subject) -> SubNetwork:
    network = on_worker(with_8bit_ends, loaded_super_network(name), _subject.low)
    return on_worker(through_blocks, network, kept, _subject.low, _subject.truth)


def sub_network_with_8bit_ends(name: str, kept: tuple[int, ...], subject: Subject) -> SubNetwork:
    """The picture through the blocks `kept` of a network whose ends have 8 bits."""
    return _with_8bit_ends(name, kept, subject.digest, subject)


def sub_networks(
    subject: Subject, wanted: Sequence[tuple[str, tuple[int, ...]]], what: str
) -> list[SubNetwork]:
    """The picture through each (network, blocks) of `wanted`, with progress."""

    def measure(one: tuple[str, tuple[int, ...]]) -> SubNetwork:
        return _through(*one, subject.digest, subject)

    found = all_results(measure, wanted, what)
    return [found[one] for one in wanted]


def measured_depths(name: str, subject: Subject, count: int) -> Depths:
    """The picture through the super-network `name` at every depth; `count` blocks are chosen."""
    order = skip_order(loaded_super_network(name))[::-1]
    blocks = range(1, len(order) + 1)
    by_order = {n: tuple(sorted(order[:n])) for n in blocks}
    drawn = [random_blocks(len(order), count, seed) for seed in range(DRAWS)]
    alone = {
        depth: (other, by_order[len(order) // DEPTHS[depth]])
        for depth, other in trained_alone(name).items()
    }
    wanted = [(name, kept) for kept in (*by_order.values(), *drawn)]
    found = sub_networks(subject, [*wanted, *alone.values()], "Measuring every depth")
    curve = dict(zip(by_order, found, strict=False))
    random, separate = found[len(order) : len(wanted)], found[len(wanted) :]
    return Depths(curve, random, dict(zip(alone, separate, strict=True)), curve[count])
