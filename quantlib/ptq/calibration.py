"""What calibration keeps of a site's activations."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from quantlib.ptq.sites import Site
from quantlib.quantizers.channels import by_channel, largest_magnitude

PLACES = 64
VALUES_PER_CHANNEL = 1 << 15


@dataclass
class Observation:
    """Statistics of one site over the calibration pictures.

    `magnitude` is max|A_c| `(C,)`; `values` samples `(C, L)` of the activations; `rows` what a
    layer multiplies at P places, `(P, C, K)`; `weight` its weights, `(O, C, K)`.
    """

    site: Site
    magnitude: Tensor | None = None
    values: list[Tensor] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    weight: Tensor | None = None

    def add(self, x: Tensor, layer: nn.Module) -> None:
        x = x.detach()
        magnitude = largest_magnitude(x, self.site.channel_dim)
        previous = magnitude if self.magnitude is None else self.magnitude
        self.magnitude = torch.maximum(magnitude, previous)
        values = by_channel(x, self.site.channel_dim)
        self.values.append(values[:, :: max(1, values.shape[1] // VALUES_PER_CHANNEL)].clone())
        self.rows.append(_rows(x, layer))
        self.weight = _weight(layer)

    def sample(self) -> Tensor:
        """All sampled values, `(C, L)`."""
        return torch.cat(self.values, dim=1)


def _rows(x: Tensor, layer: nn.Module) -> Tensor:
    """What the layer multiplies with its weights, `(P, C, K)`, at P places spread over `x`."""
    if isinstance(layer, nn.Conv2d) and layer.groups == 1:
        kernel, dilation = layer.kernel_size, layer.dilation
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        fits = all(n > r for n, r in zip(x.shape[2:], reach, strict=True))
        padding = (0, 0) if fits else (reach[0], reach[1])
        columns = unfold(x, kernel, dilation, padding, layer.stride)
        rows = columns.transpose(1, 2).reshape(-1, x.shape[1], kernel[0] * kernel[1])
        return rows[:: max(1, len(rows) // PLACES)].clone()
    channel_dim = x.dim() - 1 if isinstance(layer, nn.Linear) else 1
    rows = by_channel(x, channel_dim).T[:, :, None]
    return rows[:: max(1, len(rows) // PLACES)].clone()


def _weight(layer: nn.Module) -> Tensor:
    """`(O, C, K)`; the identity where the layer is not a plain matrix product."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    if isinstance(layer, nn.Linear):
        return weight.detach()[:, :, None]
    if isinstance(layer, nn.Conv2d) and layer.groups == 1:
        return weight.detach().flatten(2)
    channels = layer.in_channels  # type: ignore[union-attr]
    return torch.eye(int(channels))[:, :, None]  # type: ignore[arg-type]
