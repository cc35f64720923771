"""The file of an adapted network, which `quantlib.models.load` opens."""

from dataclasses import dataclass
from hashlib import sha256

from safetensors.torch import save

from quantlib.models import SRNetwork
from quantlib.qat.layers.packing import packed_state


@dataclass(frozen=True)
class AdaptedFile:
    """A safetensors file, as bytes."""

    name: str
    content: bytes
    sha256: str


def file_of(network: SRNetwork, bits: int) -> AdaptedFile:
    """`network`, which is quantized, as a file; its name states the scale, as PAN ×3 needs it."""
    tensors, metadata = packed_state(network.network)
    content = save(tensors, metadata)
    name = f"{network.architecture.lower()}-x{network.scale}-rlq-w{bits}a{bits}.safetensors"
    return AdaptedFile(name, content, sha256(content).hexdigest())
