import pytest
import torch
from torch import Tensor, nn

from quantlib.coding import ans, huffman
from quantlib.evaluation.operations import OperationCounts, count_macs, count_operations
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings, SiteNetwork, quantize
from quantlib.quantizers.dqa import DQATensor
from quantlib.quantizers.dqa_ans import AnsDQATensor

FEATURES, BLOCKS = 6, 2
PICTURE = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
PIXELS = 9 * 7


def edsr_macs(scale: int) -> int:
    """Counted on fingers: taps · inputs · outputs · positions of every convolution."""
    head = 9 * 3 * FEATURES * PIXELS
    body = (2 * BLOCKS + 1) * 9 * FEATURES * FEATURES * PIXELS
    upsampler, positions = 0, PIXELS
    for factor in {2: [2], 3: [3], 4: [2, 2]}[scale]:
        upsampler += 9 * FEATURES * (factor**2 * FEATURES) * positions
        positions *= factor**2
    return head + body + upsampler + 9 * FEATURES * 3 * positions


def quantized(settings: Settings, scale: int = 2):
    sites = SiteNetwork(EDSR(scale, FEATURES, BLOCKS).eval(), PICTURE)
    masks = {s.name: torch.arange(s.channels) < 1 + i % 3 for i, s in enumerate(sites.sites)}
    return quantize(sites, settings, masks, [PICTURE]), masks


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_macs_of_convolutions(scale):
    assert count_macs(quantized(Settings("direct"), scale)[0], PICTURE) == edsr_macs(scale)


def test_macs_of_linear_layers():
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x.flatten(2).mT))).mT.view_as(x)

    network = quantize(SiteNetwork(Tokens(), PICTURE), Settings("direct"))
    assert count_macs(network, PICTURE) == PIXELS * (3 * 5 + 5 * 4 + 4 * 3)


@pytest.mark.parametrize(
    ("settings", "refines"),
    [
        (Settings("direct", 4), False),
        (Settings("pot", 4), False),
        (Settings("noisyquant", 4), False),
        (Settings("dqa", 3, 3), True),
        (Settings("dqa", 3, 0), False),
        (Settings("dqa-ans", 3, 3), True),
    ],
    ids=str,
)
def test_what_quantization_adds(settings, refines):
    network, masks = quantized(settings)
    sizes = network.measure(PICTURE)[1]
    elements = len(masks) * FEATURES * PIXELS
    refined = sum(int(mask.sum()) * PIXELS for mask in masks.values()) if refines else 0
    coded = refined + elements * (settings.method == "dqa-ans")
    assert count_operations(network, PICTURE, sizes) == OperationCounts(
        edsr_macs(2), elements, refined, coded, coded, elements
    )
    symbols = 0
    for encoded in network.encode(PICTURE).values():
        if isinstance(encoded, DQATensor):
            symbols += sum(huffman.decode(payload).size for payload in encoded.refinement)
        if isinstance(encoded, AnsDQATensor):
            symbols += ans.decode(encoded.codes).size
    assert symbols == coded


def test_fp32_adds_nothing():
    network, _ = quantized(Settings("fp32"))
    found = count_operations(network, PICTURE, network.measure(PICTURE)[1])
    assert found == OperationCounts(edsr_macs(2), 0, 0, 0, 0, 0)
