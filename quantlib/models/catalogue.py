"""The networks that Bitlens offers by name: the bundled ones and a choice from the Hub.

A sentence of what each is, and only figures with a source: `published_psnr` is what others report,
`measured_psnr` what this project measured and wrote on the card of a bundled network.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from quantlib.models.card import (
    CLASSIFICATION,
    SEGMENTATION,
    SUPER_RESOLUTION,
    NetworkCard,
)
from quantlib.shipped import ASSETS

__all__ = [
    "CATALOGUE",
    "CLASSIFICATION",
    "SEGMENTATION",
    "SUPER_RESOLUTION",
    "CatalogueEntry",
    "bundled",
    "card_of",
    "entries",
    "every_bundled",
    "find",
    "rlq_names",
    "rlq_twin",
]

WEIGHTS_FOLDER = ASSETS / "weights"

TWINS = {
    r"builtin:edsr-x([234])": "quantsr-c",
    r"builtin:quantsr-t-x([234])-fp32": "quantsr-t",
}
"""Networks in full precision, and the family that was trained from them."""

_EDSR_PAPER = "Lim et al., CVPRW 2017, arXiv 1707.02921"
_PAN_PAPER = "Zhao et al., ECCVW 2020, arXiv 2010.01073"
_SWIN2SR_PAPER = "Conde et al., ECCVW 2022, arXiv 2209.11345"


@dataclass(frozen=True)
class CatalogueEntry:
    """One network: `name` is what `quantlib.models.load` takes.

    `bytes` is the size of the file; the Hub's sizes are as it lists them, to three digits. PSNR is
    in dB on Set5 (Y of BT.601, `scale` pixels cropped). What is not known is None. `depths` is
    "joint" for depth-dynamic networks, or the one depth that was trained by itself. `classes` of a
    classifier or segmenter are their names, `measured` is what it was measured to do, in words.
    """

    name: str
    title: str
    scale: int
    architecture: str
    source: str
    licence: str | None = None
    parameters: int | None = None
    bytes: int | None = None
    published_psnr: float | None = None
    published_in: str | None = None
    measured_psnr: float | None = None
    depths: str = ""
    task: str = SUPER_RESOLUTION
    classes: tuple[str, ...] = ()
    measured: str = ""

    @property
    def is_bundled(self) -> bool:
        """Whether the weights come with Bitlens, so that no connection is needed."""
        return self.name.startswith("builtin:")


def _edsr(scale: int, parameters: int, size: int, psnr: float | None = None) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"hub:eugenesiow/edsr-base@d622f68:pytorch_model_{scale}x.pt",
        title=f"EDSR baseline ×{scale}",
        scale=scale,
        architecture="EDSR",
        source=_EDSR_PAPER,
        licence="Apache-2.0",
        parameters=parameters,
        bytes=size,
        published_psnr=psnr,
        published_in="model card of eugenesiow/edsr-base" if psnr else None,
    )


def _pan(scale: int, parameters: int) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"hub:eugenesiow/pan:pytorch_model_{scale}x.pt",
        title=f"PAN ×{scale}",
        scale=scale,
        architecture="PAN",
        source=_PAN_PAPER,
        parameters=parameters,
        bytes=1_100_000,
    )


CATALOGUE: tuple[CatalogueEntry, ...] = (
    _edsr(2, 1_369_859, 5_510_000, psnr=38.02),
    _edsr(3, 1_554_499, 6_250_000),
    _edsr(4, 1_517_571, 6_100_000, psnr=32.12),
    _pan(2, 261_403),
    _pan(3, 261_403),
    _pan(4, 272_419),
    CatalogueEntry(
        name="hub:caidas/swin2SR-lightweight-x2-64:pytorch_model.bin",
        title="Swin2SR lightweight ×2",
        scale=2,
        architecture="Swin2SR",
        source=_SWIN2SR_PAPER,
        bytes=4_180_000,
    ),
    CatalogueEntry(
        name="hub:Phips/2xHFA2kSPAN:2xHFA2kSPAN.safetensors",
        title="SPAN ×2 for drawn pictures",
        scale=2,
        architecture="SPAN",
        source="Phips/2xHFA2kSPAN on the Hugging Face Hub",
        licence="CC-BY-4.0",
        bytes=8_900_000,
    ),
)
"""The networks on the Hub, lightest repositories and best documented first."""


def bundled(folder: Path | None = None, task: str = SUPER_RESOLUTION) -> list[CatalogueEntry]:
    """The networks for `task` in `folder` (`assets/weights`) with both card and weights, by name.

    >>> {entry.task for entry in bundled(task=SEGMENTATION)} <= {SEGMENTATION}
    True
    """
    return [entry for entry in every_bundled(folder) if entry.task == task]


def every_bundled(folder: Path | None = None) -> list[CatalogueEntry]:
    """The networks for all tasks."""
    folder = folder or WEIGHTS_FOLDER
    cards = sorted(folder.glob("*.json"))
    return [_entry(card) for card in cards if card.with_suffix(".safetensors").is_file()]


def entries(task: str = SUPER_RESOLUTION) -> list[CatalogueEntry]:
    """Every network for `task`, the bundled ones first.

    >>> [entry.name for entry in entries() if entry.architecture == "Swin2SR"]
    ['hub:caidas/swin2SR-lightweight-x2-64:pytorch_model.bin']
    """
    return [*bundled(task=task), *(entry for entry in CATALOGUE if entry.task == task)]


def find(name: str) -> CatalogueEntry | None:
    """The entry called `name`; a bare `hub:OWNER/NAME` finds the first of that repository."""
    for entry in entries():
        if name in (entry.name, _repository(entry.name)):
            return entry
    return None


def card_of(name: str) -> NetworkCard | None:
    """The card of `builtin:NAME`, None where there is none.

    >>> card_of("hub:eugenesiow/pan") is None
    True
    """
    file = WEIGHTS_FOLDER / f"{name.removeprefix('builtin:')}.json"
    return NetworkCard.read(file) if name.startswith("builtin:") and file.is_file() else None


def rlq_twin(name: str, bits: int) -> CatalogueEntry | None:
    """The bundled QuantSR network of a full-precision one, at W`bits`A`bits`.

    QuantSR-C belongs to `builtin:edsr-xS`, QuantSR-T to `builtin:quantsr-t-xS-fp32`.

    >>> rlq_twin("hub:eugenesiow/pan", 4) is None
    True
    """
    for pattern, family in TWINS.items():
        if match := re.fullmatch(pattern, name):
            return find(f"builtin:{family}-x{match[1]}-w{bits}a{bits}")
    return None


def rlq_names() -> list[str]:
    """The bundled networks that were trained with RLQ at three depths."""
    return [entry.name for entry in bundled() if entry.depths == "joint"]


def _repository(name: str) -> str:
    """`hub:OWNER/NAME` of a name from the Hub; the name itself for a bundled network."""
    match = re.match(r"hub:[^@:]+", name)
    return match[0] if match else name


def _entry(file: Path) -> CatalogueEntry:
    """The bundled network whose card is in `file`."""
    card = NetworkCard.read(file)
    is_super_network = bool(card.training.get("depths"))
    return CatalogueEntry(
        name=f"builtin:{file.stem}",
        title=card.title,
        scale=card.scale,
        architecture=card.architecture,
        source=card.source or f"trained for Bitlens, see {file.name}",
        licence=card.licence,
        parameters=card.parameters,
        bytes=card.bytes or file.with_suffix(".safetensors").stat().st_size,
        measured_psnr=card.psnr_y.get("set5"),
        depths=(card.training.get("alone") or "joint") if is_super_network else "",
        task=card.task,
        classes=card.classes,
        measured=card.measured,
    )
