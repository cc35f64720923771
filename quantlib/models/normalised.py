"""Networks that look at pictures, with the normalisation that they were trained with."""

import torch
from torch import Tensor, nn

from quantlib.models.preprocessing import Preprocessing


class Normalised(nn.Module):
    """`network` on pictures in [0, 1], in evaluation mode and frozen; `forward` normalises them.

    Attributes: `network` the architecture itself; `architecture`; `classes`, how many;
    `preprocessing`; `name` what it was loaded by; `source` file or repository; `licence` or None;
    `commit` on the Hub or None; `sha256` of the file; `parameter_count`; `notes` what a person
    should know about how the file was read, a sentence each.
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
        self.network = network
        self.architecture, self.classes = architecture, classes
        self.name, self.source, self.sha256 = "", "", ""
        self.licence: str | None = None
        self.commit: str | None = None
        self.notes: tuple[str, ...] = ()
        self.parameter_count = sum(p.numel() for p in network.parameters())
        self.prepare_by(preprocessing or Preprocessing())
        self.eval().requires_grad_(False)

    def prepare_by(self, preprocessing: Preprocessing) -> None:
        """Takes the size and the normalisation of pictures from `preprocessing`."""
        self.preprocessing = preprocessing
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(3, 1, 1), False)
        self.register_buffer("std", torch.tensor(preprocessing.std).view(3, 1, 1), False)

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - self.mean) / self.std)


class Classifier(Normalised):
    """RGB `float32 (N, 3, S, S)` in [0, 1] to logits `(N, classes)`; S is `preprocessing.size`.

    >>> mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> Classifier(mean, "mean colour", classes=3)(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 3])
    """


class Segmenter(Normalised):
    """RGB `float32 (N, 3, H, W)` in [0, 1] to logits `(N, classes, H, W)`.

    >>> Segmenter(nn.Identity(), "colours", classes=3)(torch.rand(1, 3, 20, 20)).shape
    torch.Size([1, 3, 20, 20])
    """
