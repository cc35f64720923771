"""An exported file in the place of a quantized network."""

from pathlib import Path

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.files import opened_file
from quantlib.models.sr_network import SRNetwork
from quantlib.ptq import Settings
from quantlib.quantizers.sizes import ByteSizes
from quantlib.runtime.computed import ComputedNetwork
from quantlib.runtime.onnx_running import SUFFIX, OnnxModule, OnnxNetwork, open_onnx
from quantlib.runtime.onnx_weights import StoredWeights

PROBE = 8  # pixels a side of what a file is tried on


class OnnxFile(ComputedNetwork):
    """The super-resolution network of the ONNX file at `path`, as verbs and pages ask for it.

    `settings` are those that it was exported with, `weights` the bytes of what the file stores.
    Bytes of activations are not known. Raises a QuantlibError for a file that is damaged, comes
    from elsewhere or enlarges nothing.
    """

    def __init__(self, path: Path) -> None:
        nn.Module.__init__(self)
        with opened_file(path) as file:
            content = file.read()
        network = open_onnx(content, path.name)
        if not network.scale:
            raise QuantlibError(
                f"{path.name} enlarges no pictures; choose a super-resolution network."
            )
        stored = StoredWeights.of(content).nbytes
        try:
            self.settings = Settings(**network.card["settings"])
            self.weights = ByteSizes(fp32=4 * network.card["parameters"], codes=stored)
            enlarging = self.compute = _enlarging(network)
            fits = self(torch.zeros(1, 3, PROBE, PROBE)).shape[-1] == PROBE * network.scale
        except (KeyError, TypeError, ValueError, RuntimeError):
            fits = False
        if not fits:
            raise QuantlibError(
                f"The card of {path.name} is not that of its network; export it again."
            )
        self.site_network = nn.Module()  # type: ignore[assignment]
        self.site_network.network = enlarging
        self.masks, self.frozen = {}, {}

    @torch.inference_mode()
    def measure(self, x: Tensor) -> tuple[Tensor, dict[str, ByteSizes]]:
        return self(x), {}


def _enlarging(network: OnnxNetwork) -> SRNetwork:
    card = network.card
    made = SRNetwork(
        OnnxModule(network),
        card["architecture"],
        network.scale,
        receptive_radius=network.receptive_radius,
        size_rule=network.size_rule,
    )
    made.name, made.licence = card["name"], card["licence"]
    return made


def is_onnx(name: str) -> bool:
    """Whether a network's name is that of an ONNX file."""
    return name.lower().endswith(SUFFIX)
