"""How a network in training does on a photograph that it is not trained on."""

import torch
from torch import nn

from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor

SAMPLE, SIDE = "astronaut", 144


class HeldOut:
    """PSNR in dB over all three channels, unrounded, on a crop of a sample photograph."""

    def __init__(self, scale: int) -> None:
        self.high = to_tensor(load_sample(SAMPLE, SIDE).rgb)
        self.low = downscale(self.high, scale)

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> float:
        device = next(network.parameters()).device
        network.eval()
        error = network(self.low.to(device)).clamp(0, 1).cpu() - self.high
        network.train()
        return float(-10 * torch.log10(error.square().mean()))
