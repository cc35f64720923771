"""The oracle is the implementation that the checkpoints were saved from."""

import pytest
import torch
from torch import nn
from torch.nn.functional import pad
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

from quantlib.errors import QuantlibError
from quantlib.models.architectures import swin2sr

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def oracle(upsampler: str, scale: int) -> nn.Module:
    config = Swin2SRConfig(
        embed_dim=12,
        depths=[2, 3],
        num_heads=[2, 3],
        upscale=scale,
        upsampler=upsampler,
        window_size=8,
        image_size=64,
    )
    torch.manual_seed(0)
    network = Swin2SRForImageSuperResolution(config).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize(
    ("upsampler", "scale"),
    [
        ("pixelshuffledirect", 2),
        ("pixelshuffledirect", 4),
        ("pixelshuffle", 2),
        ("pixelshuffle", 3),
        ("pixelshuffle", 4),
        ("nearest+conv", 4),
    ],
)
@pytest.mark.parametrize("size", [(16, 24), (64, 64), (21, 30)], ids=str)
def test_equals_transformers(upsampler: str, scale: int, size: tuple[int, int]) -> None:
    expected = oracle(upsampler, scale)
    network = swin2sr.from_state_dict(expected.state_dict()).eval()
    x = torch.rand(1, 3, *size)
    height, width = size
    with torch.inference_mode():
        # transformers refuses sizes that are no multiple of the window: its image processor
        # pads first. Here the network continues the picture by reflection, as the authors do.
        mirrored = pad(x, (0, -width % 8, 0, -height % 8), mode="reflect")
        y = expected(mirrored).reconstruction[..., : scale * height, : scale * width]
        torch.testing.assert_close(network(x), y, atol=1e-4, rtol=1e-4)


def test_without_enlargement_or_for_compressed_pictures_is_refused() -> None:
    for upsampler in ("", "pixelshuffle_aux"):
        with pytest.raises(QuantlibError, match="compressed"):
            swin2sr.from_state_dict(oracle(upsampler, 2).state_dict())
