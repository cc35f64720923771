"""Batches of labelled or annotated pictures, moved and flipped, as a function of (seed, step)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.errors import QuantlibError

SCALES = (0.75, 1.5)


class LabelledSource:
    """Every epoch shows all pictures once, in a new order, each moved by up to `shift` pixels.

    What comes into view is black. With `flip` half of them are mirrored.
    """

    def __init__(self, pictures: LabelledPictures, shift: int, flip: bool) -> None:
        if not len(pictures):
            raise QuantlibError("There are no pictures to train on; choose a data set with some.")
        self.pictures, self.shift, self.flip = pictures, shift, flip
        room = ((0, 0), (shift, shift), (shift, shift), (0, 0))
        self._padded = np.pad(pictures.rgb, room)

    def batch(self, size: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """`float32 (N, 3, H, W)` in [0, 1] and labels `int64 (N,)`."""
        random = np.random.default_rng((seed, step))
        height, width = self.pictures.rgb.shape[1:3]
        chosen = self._chosen(size, seed, step)
        places = random.integers(2 * self.shift + 1, size=(size, 2))
        mirrored = random.integers(2, size=size) if self.flip else np.zeros(size, int)
        views = []
        for picture, (top, left), mirror in zip(chosen, places, mirrored, strict=True):
            view = self._padded[picture, top : top + height, left : left + width]
            views.append(view[:, ::-1] if mirror else view)
        x = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float() / 255
        return x, torch.from_numpy(self.pictures.labels[chosen].astype(np.int64))

    def _chosen(self, size: int, seed: int, step: int) -> np.ndarray:
        """Places `step`·size to (step + 1)·size in the epochs' orders laid end to end."""
        count = len(self.pictures)
        places = np.arange(step * size, (step + 1) * size)
        epochs = range(places[0] // count, places[-1] // count + 1)
        orders = [
            np.random.default_rng((seed, 1 << 32, epoch)).permutation(count) for epoch in epochs
        ]
        return np.concatenate(orders)[places - places[0] // count * count]


class AnnotatedSource:
    """Random pictures, made 0.75 to 1.5 times as large, mirrored or not, and cut to `crop`."""

    def __init__(self, pictures: AnnotatedPictures, crop: int) -> None:
        if not len(pictures):
            raise QuantlibError("There are no pictures to train on; choose a data set with some.")
        if min(pictures.rgb.shape[1:3]) * SCALES[0] < crop:
            raise QuantlibError(
                f"Pictures of {pictures.rgb.shape[2]}×{pictures.rgb.shape[1]} pixels are too small "
                f"for crops of {crop}; make `crop` in the recipe smaller."
            )
        self.pictures, self.crop = pictures, crop

    def batch(self, size: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """`float32 (N, 3, crop, crop)` in [0, 1] and labels `int64 (N, crop, crop)`."""
        random = np.random.default_rng((seed, step))
        views = [self._view(random) for _ in range(size)]
        x, labels = (torch.stack(side) for side in zip(*views, strict=True))
        return x, labels

    def _view(self, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        at = random.integers(len(self.pictures))
        scale = np.exp(random.uniform(*np.log(SCALES)))
        seen = round(self.crop / scale)
        height, width = self.pictures.rgb.shape[1:3]
        top, left = random.integers(height - seen + 1), random.integers(width - seen + 1)
        place = at, slice(top, top + seen), slice(left, left + seen)
        rgb = torch.from_numpy(self.pictures.rgb[place]).permute(2, 0, 1)[None].float() / 255
        labels = torch.from_numpy(self.pictures.labels[place])[None, None].float()
        x = interpolate(rgb, (self.crop, self.crop), mode="bilinear", antialias=True)[0]
        y = interpolate(labels, (self.crop, self.crop), mode="nearest-exact")[0, 0].long()
        return (x.flip(2), y.flip(1)) if random.integers(2) else (x, y)
