"""A network small enough to write out by hand, with a skip around its quantized middle."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from quantlib.importance.pairs import Pair


class ThreeConvolutions(nn.Module):
    """head, then x + second(relu(first(x))), then tail; `scale` 1."""

    scale = 1

    def __init__(self, features: int = 4) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, features, 3, padding=1)
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 1)
        self.tail = nn.Conv2d(features, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        return self.tail(x + self.second(relu(self.first(x))))


def network(features: int = 4, seed: int = 0) -> ThreeConvolutions:
    torch.manual_seed(seed)
    return ThreeConvolutions(features).eval()


def pairs(count: int = 2, seed: int = 1) -> list[Pair]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(1, 3, 7 + i, 6) for i in range(count)]
    return [
        Pair(torch.rand(shape, generator=generator), torch.rand(shape, generator=generator))
        for shape in shapes
    ]
