"""Random crops of a handful of pictures, where they are rich in detail."""

from collections.abc import Sequence

import torch
from torch import Tensor

from quantlib.errors import QuantlibError

DRAWS = 8


class Crops:
    """Draws crops of `pictures`, each `(1, 3, H, W)` in [0, 1].

    Of every `DRAWS` random crops the one with the strongest edges is taken, where quantization
    does most harm. It is turned, mirrored and its colours are exchanged; every other one is
    inverted. A picture that is smaller than a crop makes all crops as small.

    >>> crops = Crops([torch.rand(1, 3, 20, 30)], seed=0)
    >>> crops.batch(2, side=16).shape, crops.batch(1, side=64).shape
    (torch.Size([2, 3, 16, 16]), torch.Size([1, 3, 20, 20]))
    """

    def __init__(self, pictures: Sequence[Tensor], seed: int) -> None:
        if not pictures:
            raise QuantlibError("Give at least one picture to adapt to.")
        for picture in pictures:
            if picture.dim() != 4 or picture.shape[:2] != (1, 3) or not picture.numel():
                raise QuantlibError(
                    f"Pictures to adapt to are (1, 3, H, W), not {tuple(picture.shape)}."
                )
            if not picture.isfinite().all():
                raise QuantlibError("A picture to adapt to has values that are not finite.")
        self.pictures = [picture.detach().float().clone() for picture in pictures]
        self.smallest = min(min(picture.shape[-2:]) for picture in pictures)
        self.areas = torch.tensor([float(p.shape[-2] * p.shape[-1]) for p in pictures])
        self.random = torch.Generator().manual_seed(seed)

    def batch(self, size: int, side: int) -> Tensor:
        """`size` crops of `side` pixels, `(N, 3, side, side)`."""
        side = min(side, self.smallest)
        crops = []
        for number in range(size):
            crop = max((self._crop(side) for _ in range(DRAWS)), key=_edges)
            turns, mirrored = self._below(4), self._below(2)
            crop = crop.rot90(turns, (2, 3))
            crop = crop.flip(3) if mirrored else crop
            crop = crop[:, torch.randperm(3, generator=self.random)]
            crops.append(1 - crop if number % 2 else crop)
        return torch.cat(crops)

    def _crop(self, side: int) -> Tensor:
        picture = self.pictures[int(torch.multinomial(self.areas, 1, generator=self.random))]
        top, left = (self._below(length - side + 1) for length in picture.shape[-2:])
        return picture[..., top : top + side, left : left + side]

    def _below(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self.random))


def _edges(crop: Tensor) -> float:
    rows, columns = crop.diff(dim=2), crop.diff(dim=3)
    return float(rows.square().sum() + columns.square().sum())
