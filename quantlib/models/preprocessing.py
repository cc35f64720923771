"""What a classifier was trained to see: size, mean and standard deviation of its pictures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from quantlib.errors import QuantlibError

if TYPE_CHECKING:
    from torch import Tensor

Colour = tuple[float, float, float]
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)
MOST_OF_A_CONFIG = 1_000_000  # bytes


@dataclass(frozen=True)
class Preprocessing:
    """Side of the input in pixels, and mean and standard deviation of R, G and B in [0, 1].

    `crop` is the side of the input over the shorter side that a larger picture is first reduced to.
    """

    size: int = 32
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    crop: float = 1.0

    def __post_init__(self) -> None:
        fits = len(self.mean) == len(self.std) == 3 and min(self.std) > 0 and self.size > 0
        if not fits or not 0 < self.crop <= 1:
            raise QuantlibError(
                "A classifier's preprocessing needs a size in pixels, mean and positive std of "
                "three colours, and a crop from 0 to 1; correct them."
            )

    @classmethod
    def stated_in(cls, config: Mapping[str, Any]) -> "Preprocessing | None":
        """What a card in timm's form states under `pretrained_cfg`, None where it does not.

        >>> Preprocessing.stated_in(Preprocessing(160, crop=0.95).as_config()).crop
        0.95
        """
        stated = config.get("pretrained_cfg")
        if not stated:
            return None
        return cls(
            int(stated["input_size"][-1]),
            tuple(map(float, stated["mean"])),  # type: ignore[arg-type]
            tuple(map(float, stated["std"])),  # type: ignore[arg-type]
            float(stated.get("crop_pct") or 1),
        )

    def as_config(self) -> dict[str, Any]:
        """What `stated_in` reads."""
        stated = {
            "input_size": [3, self.size, self.size],
            "mean": list(self.mean),
            "std": list(self.std),
        }
        return {"pretrained_cfg": stated | ({} if self.crop == 1 else {"crop_pct": self.crop})}

    def __call__(self, rgb: np.ndarray) -> "Tensor":
        """`uint8 (H, W, 3)` to `float32 (1, 3, size, size)` in [0, 1], not yet normalised.

        Bicubic, with antialiasing, until the shorter side is size / crop, then the middle.

        >>> Preprocessing(224, crop=0.875)(np.zeros((300, 400, 3), np.uint8)).shape
        torch.Size([1, 3, 224, 224])
        """
        from quantlib.imaging.tensors import to_tensor

        height, width = rgb.shape[:2]
        shorter = int(self.size / self.crop)
        factor = shorter / min(height, width)
        if factor != 1:
            sides = max(shorter, int(width * factor)), max(shorter, int(height * factor))
            rgb = np.asarray(Image.fromarray(rgb).resize(sides, Image.Resampling.BICUBIC))
        top, left = (round((n - self.size) / 2) for n in rgb.shape[:2])
        return to_tensor(rgb[top : top + self.size, left : left + self.size])


def read_config(path: Path) -> Preprocessing | None:
    """What a `config.json` in timm's form states, None where it is of another form.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "config.json"
    >>> stated = {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, 160, 160]}
    >>> _ = path.write_text(json.dumps({"pretrained_cfg": stated | {"crop_pct": 0.95}}))
    >>> read_config(path)
    Preprocessing(size=160, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), crop=0.95)
    """
    try:
        if path.stat().st_size > MOST_OF_A_CONFIG:
            raise ValueError(f"{path.name} has more bytes than any")
        return Preprocessing.stated_in(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise QuantlibError(
            f"{path.name} does not say how pictures are prepared for the network beside it; "
            "download it again, or remove it."
        ) from error
