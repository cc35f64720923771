"""A network on bands of rows: the memory of one band, whatever the height of the picture."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from quantlib.imaging.tiling import tiled
from quantlib.models.sr_network import SRNetwork

NO_BOUND = 32


def halo_of(network: nn.Module) -> int:
    """Pixels around a tile that can change it, or 32 where the network has no bound."""
    radius = getattr(network, "receptive_radius", None)
    return NO_BOUND if radius is None else int(radius)


@dataclass(frozen=True, eq=False)
class InBands:
    """`compute`, which enlarges as `network` does, on bands of `rows` rows of the input.

    A band has as many rows more above and below as its outputs depend on, so that the result is
    that of the whole picture. A band of few rows computes more rows of halo than of its own.

    >>> import torch
    >>> from quantlib.models.architectures.edsr import EDSR
    >>> inside = EDSR(2, features=4, blocks=1)
    >>> edsr = SRNetwork(inside, "EDSR", 2, receptive_radius=inside.receptive_radius)
    >>> x = torch.rand(1, 3, 40, 9)
    >>> torch.allclose(InBands(edsr, edsr, rows=8)(x), edsr(x), atol=1e-6)
    True
    """

    network: SRNetwork
    compute: Callable[[Tensor], Tensor]
    rows: int = 64

    def __call__(self, x: Tensor) -> Tensor:
        network, band = self.network, (self.rows, x.shape[-1])
        return tiled(self.compute, x, network.scale, halo_of(network), band, network.window)
