"""The shift by a mean picture that EDSR's authors put around their networks (`MeanShift`)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

NAMES = tuple(f"{side}_mean.{part}" for side in ("sub", "add") for part in ("weight", "bias"))


class MeanShift(nn.Module):
    """x · weight + bias for each colour; the names are those of a 1×1 convolution's parameters."""

    weight: Tensor
    bias: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.eye(3).view(3, 3, 1, 1))
        self.register_buffer("bias", torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.diagonal().view(3, 1, 1) + self.bias.view(3, 1, 1)


def peak_of(weights: Mapping[str, Tensor]) -> float | None:
    """The value of white, 255 or 1, that the shifts in `weights` belong to.

    None where there are none, or where what is taken off is not what is put back: such are
    not applied by anybody.

    >>> shifts = {name: torch.eye(3).view(3, 3, 1, 1) for name in NAMES if "weight" in name}
    >>> mean = torch.tensor([114.4, 111.5, 103.0])
    >>> peak_of({**shifts, "sub_mean.bias": -mean, "add_mean.bias": mean})
    255.0
    """
    if any(name not in weights for name in NAMES):
        return None
    sub, subtracted, add, added = (weights[name].double() for name in NAMES)
    if sub.shape[:2] != (3, 3) or add.shape[:2] != (3, 3) or len(subtracted) + len(added) != 6:
        return None
    back = add.flatten(1) @ sub.flatten(1)
    rest = add.flatten(1) @ subtracted + added
    identity = torch.eye(3, dtype=torch.float64)
    if not torch.allclose(back, identity, atol=1e-3) or rest.abs().max() > 1e-3 * 255:
        return None
    if not torch.equal(sub.flatten(1).diag().diag(), sub.flatten(1)):
        return None
    return 255.0 if added.abs().max() > 1.5 else 1.0
