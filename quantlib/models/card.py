"""The card of a bundled network: what it is, what it was measured to do, and how it came about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.files import write_whole
from quantlib.models.preprocessing import Preprocessing

SUPER_RESOLUTION, CLASSIFICATION, SEGMENTATION = (
    *("super-resolution", "classification", "segmentation"),
)
FULL, FULL_PRECISION = "full", 32

Scores = Mapping[str, float]


@dataclass(frozen=True)
class NetworkCard:
    """What stands in the JSON file beside a network's weights.

    `psnr_y` is PSNR in dB by benchmark, `depths` the same for each depth that was trained, and
    `measured` what a network for another task was measured to do, in words. `classes` are names,
    `training` the conditions, `first_stage` those of an earlier training whose weights it began
    with, `bytes` the size of the file. What is not known is None or empty.

    >>> card = NetworkCard("EDSR", scale=2, psnr_y={"set5": 37.5}, training={"features": 32})
    >>> card.title, card.bits, card.scores
    ('EDSR ×2, bundled', 32, {'full': {'set5': 37.5}})
    """

    architecture: str
    name: str = ""
    title: str = ""
    task: str = SUPER_RESOLUTION
    scale: int = 1
    source: str | None = None
    licence: str | None = None
    parameters: int | None = None
    bytes: int | None = None
    classes: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None
    psnr_y: Scores = field(default_factory=dict)
    depths: Mapping[str, Scores] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    measured: str = ""
    first_stage: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", f"{self.architecture} ×{self.scale}, bundled")

    @property
    def is_quantized(self) -> bool:
        """Whether the network was trained with quantized layers."""
        return self.training.get("method", "") not in ("", "fp32")

    @property
    def bits(self) -> int:
        """Bits of the quantized layers' activations; 32 for a network in full precision."""
        return self.training["activation_bits"] if self.is_quantized else FULL_PRECISION

    @property
    def scores(self) -> Mapping[str, Scores]:
        """Measured PSNR by benchmark, for each depth that was trained."""
        return self.depths or {FULL: self.psnr_y}

    @classmethod
    def read(cls, file: Path) -> "NetworkCard":
        """The card in a JSON file; a `QuantlibError` for what is none."""
        try:
            return cls._of(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise QuantlibError(
                f"The card {file.name} in {'/'.join(file.parts[-3:-1])} cannot be read; write it "
                "again from the training run, or remove it."
            ) from error

    @classmethod
    def _of(cls, stated: Mapping[str, Any]) -> "NetworkCard":
        task = stated.get("task", SUPER_RESOLUTION)
        return cls(
            stated["architecture"],
            stated.get("name") or "",
            stated.get("title") or "",
            task,
            int(stated["scale"]) if task == SUPER_RESOLUTION else 1,
            stated.get("source"),
            stated.get("licence"),
            stated.get("parameters"),
            stated.get("bytes"),
            tuple(stated.get("classes") or ()),
            Preprocessing.stated_in(stated),
            dict(stated.get("psnr_y") or {}),
            dict(stated.get("depths") or {}),
            dict(stated.get("training") or {}),
            stated.get("measured") or "",
            dict(stated.get("first_stage") or {}),
        )

    def write(self, file: Path) -> None:
        """Writes what `read` reads."""
        text = json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"
        write_whole(file, text.encode())

    def as_json(self) -> dict[str, Any]:
        """The card as it stands in its file."""
        enlarges = self.task == SUPER_RESOLUTION
        return {
            "name": self.name,
            "title": self.title,
            **({} if enlarges else {"task": self.task}),
            "architecture": self.architecture,
            **({"scale": self.scale} if enlarges else {}),
            **({"source": self.source} if self.source else {}),
            "licence": self.licence,
            "parameters": self.parameters,
            "bytes": self.bytes,
            **({"classes": list(self.classes)} if self.classes else {}),
            **(self.preprocessing.as_config() if self.preprocessing else {}),
            **({"psnr_y": dict(self.psnr_y)} if enlarges else {}),
            "training": dict(self.training),
            **({"depths": dict(self.depths)} if self.depths else {}),
            **({"first_stage": dict(self.first_stage)} if self.first_stage else {}),
            **({} if enlarges else {"measured": self.measured}),
        }
