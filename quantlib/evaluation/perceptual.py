"""LPIPS, a learned perceptual distance, where the weights that it needs are on this machine."""

import math
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from quantlib.evaluation.quality import inside
from quantlib.imaging.tensors import to_tensor

SMALLEST = 32  # pixels a side that the networks need


class Backbone(NamedTuple):
    """A network of torchvision that LPIPS looks through, with its file and that file's size."""

    title: str
    file: str
    megabytes: float


BACKBONES = {
    "alex": Backbone("AlexNet", "alexnet-owt-7be5be79.pth", 233),
    "squeeze": Backbone("SqueezeNet", "squeezenet1_1-b8a52dc0.pth", 4.7),
}
"""By the name that torchmetrics has for them; the first that is here is taken."""

MISSING = (
    "LPIPS, a learned perceptual distance, is not measured here: it needs torchmetrics (the extra "
    "`perceptual`) and torchvision's weights of AlexNet (233 MB) or SqueezeNet (5 MB) in PyTorch's "
    "cache, and nothing is downloaded for it."
)

_one_at_a_time = threading.Lock()


def backbone() -> str | None:
    """The name of the network that LPIPS is measured with, None where there is none."""
    if find_spec("torchmetrics") is None:
        return None
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return next((name for name, one in BACKBONES.items() if (folder / one.file).is_file()), None)


def lpips(a: np.ndarray, b: np.ndarray, scale: int) -> float | None:
    """Learned perceptual image patch similarity of two `uint8 (H, W, 3)`: 0 is alike, more is less.

    By torchmetrics; `scale` pixels are left out on each side. None where there is no `backbone`,
    not-a-number for pictures of fewer than 32 pixels a side. Source: Zhang, Isola, Efros, Shechtman
    and Wang (CVPR 2018). Raises QuantlibError for pictures of different shapes.
    """
    kept, name = inside(a, b, scale), backbone()
    if name is None:
        return None
    if min(kept[0].shape[:2]) < SMALLEST:
        return math.nan
    measure = _measure(name)
    with _one_at_a_time, torch.inference_mode():  # it keeps what it has seen
        measure.reset()
        return float(measure(*map(to_tensor, kept)))


@cache
def _measure(name: str) -> Any:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # slow to import

    return LearnedPerceptualImagePatchSimilarity(name, normalize=True)  # type: ignore[arg-type]
