"""A network that looks at pictures, with the normalisation it was trained with."""

import torch
from torch import Tensor, nn

from quantlib.models.preprocessing import Preprocessing


class Normalised(nn.Module):
    """`network` on pictures in [0, 1], in evaluation mode and frozen; `forward` normalises them.

    Attributes: `network` the architecture itself; `architecture`; `classes`, how many;
    `preprocessing`; `name` what it was loaded by; `source` file or repository; `licence` or None;
    `commit` on the Hub or None; `sha256` of the file; `parameter_count`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        architecture: str,
        classes: int,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        super().__init__()
        preprocessing = preprocessing or Preprocessing()
        self.network = network
        self.architecture, self.classes = architecture, classes
        self.preprocessing = preprocessing
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(3, 1, 1), False)
        self.register_buffer("std", torch.tensor(preprocessing.std).view(3, 1, 1), False)
        self.name, self.source, self.sha256 = "", "", ""
        self.licence: str | None = None
        self.commit: str | None = None
        self.parameter_count = sum(p.numel() for p in network.parameters())
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - self.mean) / self.std)
