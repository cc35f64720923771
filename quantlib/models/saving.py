"""Quantized networks as files that `load` opens."""

from safetensors.torch import save

from quantlib.errors import QuantlibError
from quantlib.models.architectures import pan
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.layers.packing import packed_state


def packed_file(network: SRNetwork) -> bytes:
    """A safetensors file of `network`, the weights of quantized layers as packed codes."""
    return save(*packed_state(network.network))


def check_name(name: str, network: SRNetwork) -> None:
    """PAN tells ×2 and ×3 from each other by the name of its file alone."""
    by_name = network.architecture == "PAN" and network.scale < 4
    if by_name and (pan.scale_in(name) or 2) != network.scale:
        raise QuantlibError(
            f"{name} would open as a network of another scale; put x{network.scale} into its name."
        )
