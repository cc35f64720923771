"""Numbers that others published, each with its source: `assets/published.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.shipped import ASSETS

FILE = ASSETS / "published.toml"

ACCURACY_BITS = 3
"""Bits of the activations behind every published accuracy."""

HOW = {
    "text": "read in the authors' own public text",
    "figure": "read off a figure of the authors",
    "code": "read in released code",
    "third party": "reported by a third party",
    "derived": "derived from published numbers",
}
"""How a number came to be known, in words."""


@dataclass(frozen=True)
class Source:
    """Where numbers were read; `how` is a key of `HOW`."""

    title: str
    how: str

    def __str__(self) -> str:
        """
        >>> print(Source("README of the code", "text"))
        README of the code (read in the authors' own public text)
        """
        return f"{self.title} ({HOW[self.how]})"


@dataclass(frozen=True)
class PublishedPSNR:
    """PSNR in dB by benchmark, of a super-resolution network with `bits` for weights and inputs.

    `training` is what the source, or the released code, says about the budget.
    """

    method: str
    network: str
    scale: int
    bits: float
    psnr_y: Mapping[str, float]
    source: Source
    training: str = ""
    note: str = ""


@dataclass(frozen=True)
class PublishedAccuracy:
    """Top-1 accuracy in % by method, of a network that classifies, at `ACCURACY_BITS`."""

    network: str
    accuracy: Mapping[str, float]
    source: Source
    note: str = ""


@dataclass(frozen=True)
class Caution:
    """What has to be known before published numbers are set beside others; `about` is a view."""

    about: str
    text: str
    source: Source


@dataclass(frozen=True)
class Published:
    """Everything in the file."""

    super_resolution: tuple[PublishedPSNR, ...]
    classification: tuple[PublishedAccuracy, ...]
    cautions: tuple[Caution, ...]


def read_published(file: Path = FILE) -> Published:
    """The published numbers; a QuantlibError where the file is none or a source is not named."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
        sources = {key: Source(**source) for key, source in values["sources"].items()}
        if unknown := {source.how for source in sources.values()} - HOW.keys():
            raise ValueError(f"a source cannot be known by {unknown.pop()!r}")

        def made(kind: type, name: str) -> tuple:
            return tuple(_with_source(kind, entry, sources) for entry in values.get(name, []))

        return Published(
            made(PublishedPSNR, "super_resolution"),
            made(PublishedAccuracy, "classification"),
            made(Caution, "cautions"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuantlibError(
            f"{file.name} holds no published numbers with their sources ({error}); mend it."
        ) from error


def published_accuracy(
    architecture: str, data_set: str, settings: Settings
) -> tuple[PublishedAccuracy, ...]:
    """What was published about a network on a data set at the bits of `settings`; often nothing.

    >>> rows = published_accuracy("ResNet-32", "CIFAR-10", Settings("dqa", bits=3))
    >>> [row.accuracy["eDQA"] for row in rows]
    [82.13, 89.19]
    """
    if not settings.entry.takes("bits") or settings.bits != ACCURACY_BITS:
        return ()
    network = f"{architecture}, {data_set}"
    return tuple(row for row in read_published().classification if row.network == network)


def _with_source(kind: type, entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Any:
    return kind(**{**entry, "source": sources[entry["source"]]})
