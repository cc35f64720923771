"""The settings that the Memory page measures, and what it knows of each."""

import csv
import io
from dataclasses import dataclass, replace

from pages.parts.super_resolution.sidebar import Choices, nearest_bits
from quantlib.ptq import Settings
from quantlib.quantizers.sizes import ByteSizes
from quantlib.tasks.super_resolution import Measurement

BITS = range(2, 9)
FEW_BITS, CLIPPED_BITS = (2, 3, 4), (2, 3, 4, 6)
DQA_BITS, CODED_BITS = (2, 3, 4, 5), (2, 3, 4, 5, 6)
EXTRA_BITS = (1, 2, 3)
RATIOS = (0.2, 0.4, 0.6, 0.8)
FEW_REFINED = ((1, 0.4), (3, 0.2), (3, 0.4), (3, 0.8))
CODED_REFINED = ((3, 0.4),)
BUDGETS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)

UNIFORM = "plain uniform"
TITLES = {
    "direct": UNIFORM,
    "pot": "power-of-two",
    "noisyquant": "NoisyQuant",
    "dqa": "DQA",
    "dqa-ans": "DQA, coded base",
    "entropy": "entropy coding",
}


@dataclass(frozen=True)
class Point:
    """One measured setting."""

    settings: Settings
    sizes: ByteSizes
    psnr_y: float

    @property
    def family(self) -> str:
        """The method with what changes its codes: the line that the point belongs to."""
        s = self.settings
        if s.method == "direct" and s.clip != "max":
            return f"uniform, {s.clip.upper()} clip"
        if s.method == "direct" and s.unsigned:
            return "uniform, unsigned"
        return TITLES[s.method]

    @property
    def bits_per_activation(self) -> float:
        return self.sizes.bits_per_activation

    @property
    def kib(self) -> float:
        return self.sizes.total / 1024

    @property
    def name(self) -> str:
        s = self.settings
        if s.is_dqa:
            return f"{s.summary} with m = {s.extra_bits}, r = {s.important:g}"
        if s.method == "direct" and self.family != UNIFORM:
            return f"{s.bits}-bit {self.family}"
        return s.summary

    @property
    def label(self) -> str:
        return f"{self.name}<br>{self.kib:,.0f} KiB"


def grid(choices: Choices, noisy: bool, every: bool) -> list[Settings]:
    """All settings of the chart, those of the visitor's choice included.

    `noisy` adds NoisyQuant, `every` all extra bits and ratios of DQA.
    """
    chosen = choices.settings
    settings = [Settings("direct", bits=n) for n in BITS]
    settings += [Settings("direct", bits=n, unsigned=True) for n in BITS]
    settings += [Settings("direct", bits=n, clip="mse") for n in CLIPPED_BITS]
    settings += [Settings("pot", bits=n) for n in FEW_BITS]
    if noisy:
        settings += [Settings("noisyquant", bits=n) for n in BITS]
    all_refined = tuple((m, r) for m in EXTRA_BITS for r in RATIOS)
    for method, bits, few in (
        ("dqa", DQA_BITS, FEW_REFINED),
        ("dqa-ans", CODED_BITS, CODED_REFINED),
    ):
        settings += [
            Settings(method, bits=n, extra_bits=m, important=r, criterion=chosen.criterion)
            for n in bits
            for m, r in (all_refined if every else few)
            if chosen.criterion != "greedy" or n == chosen.bits
        ]
    settings += [
        Settings("entropy", bits=nearest_bits(budget), bits_per_activation=budget)
        for budget in BUDGETS
    ]
    settings = [replace(one, depth=chosen.depth) for one in settings]
    return list(dict.fromkeys([*settings, chosen]))


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
            "n in bits": None if p.settings.method == "entropy" else p.settings.bits,
            "m in bits": p.settings.extra_bits if p.settings.is_dqa else None,
            "r": p.settings.important if p.settings.is_dqa else None,
            "criterion": p.settings.criterion if p.settings.is_dqa else None,
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
