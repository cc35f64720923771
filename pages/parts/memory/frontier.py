"""The settings that the Memory page measures, and what it knows of each."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pages.parts.shared.method import nearest_bits
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from quantlib.ptq.methods import ALL_REFINED, DIRECT, METHODS, Method, Variant
from quantlib.quantizers.sizes import ByteSizes
from quantlib.tasks.super_resolution import Measurement

UNIFORM = Settings(DIRECT.name).family


@dataclass(frozen=True)
class Point:
    """One measured setting."""

    settings: Settings
    sizes: ByteSizes
    psnr_y: float

    @property
    def family(self) -> str:
        """The method with what changes its codes: the line that the point belongs to."""
        return self.settings.family

    @property
    def bits_per_activation(self) -> float:
        return self.sizes.bits_per_activation

    @property
    def kib(self) -> float:
        return self.sizes.total / 1024

    @property
    def name(self) -> str:
        s = self.settings
        if s.needs_ranking:
            return f"{s.summary} with m = {s.extra_bits}, r = {s.important:g}"
        return f"{s.rate:g}-bit {self.family}" if s.changes else s.summary

    @property
    def label(self) -> str:
        return f"{self.name}<br>{self.kib:,.0f} KiB"


def grid(choices: Choices, noisy: bool, every: bool) -> list[Settings]:
    """All settings of the chart, those of the visitor's choice included.

    `noisy` adds what is slow to search, `every` all extra bits and ratios of methods that rank.
    """
    chosen = choices.settings
    settings = [
        replace(one, depth=chosen.depth)
        for entry in METHODS.values()
        for variant in entry.variants
        if variant.family and (noisy or not variant.slow)
        for one in _points_of(entry, variant, chosen.criterion, every)
        if not (one.needs_ranking and one.criterion == SEARCHED and one.bits != chosen.bits)
    ]
    return list(dict.fromkeys([*settings, chosen]))


def _points_of(entry: Method, variant: Variant, criterion: str, every: bool) -> Iterator[Settings]:
    for rate in variant.rates:
        if entry.budgeted:
            yield Settings(
                entry.name, bits=nearest_bits(rate), bits_per_activation=rate, **variant.changes
            )
        elif not entry.ranks:
            yield Settings(entry.name, bits=int(rate), **variant.changes)
        else:
            for m, r in ALL_REFINED if every else variant.refined:
                yield Settings(entry.name, int(rate), m, r, criterion=criterion, **variant.changes)


def point(settings: Settings, measurement: Measurement) -> Point:
    return Point(settings, measurement.ledger.total, measurement.psnr_y or 0.0)


def families(points: list[Point]) -> dict[str, list[Point]]:
    """The points by family, each by rising bytes."""
    found: dict[str, list[Point]] = {}
    for one in sorted(points, key=lambda p: p.kib):
        found.setdefault(one.family, []).append(one)
    return found


def table(points: list[Point]) -> list[dict[str, object]]:
    """A row per point by rising bytes; every heading names its unit where there is one."""
    return [
        {
            "method": p.family,
            "n in bits": None if p.settings.entry.budgeted else p.settings.bits,
            "m in bits": p.settings.extra_bits if p.settings.needs_ranking else None,
            "r": p.settings.important if p.settings.needs_ranking else None,
            "criterion": p.settings.criterion if p.settings.needs_ranking else None,
            "scales": p.settings.scales,
            "PSNR in dB": round(p.psnr_y, 3),
            "bits per activation": round(p.bits_per_activation, 4),
            "total in bytes": p.sizes.total,
            "codes in bytes": p.sizes.codes,
            "refinement in bytes": p.sizes.refinement,
            "tables and headers in bytes": p.sizes.tables,
            "scales in bytes": p.sizes.scales,
            "FP32 in bytes": p.sizes.fp32,
        }
        for p in sorted(points, key=lambda p: p.kib)
    ]


def as_csv(rows: list[dict[str, object]]) -> str:
    """The rows of `table` as comma-separated values (RFC 4180)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
