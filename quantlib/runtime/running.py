"""A quantized network as a runtime computes it, in the place of the one that PyTorch simulates."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.sr_network import SRNetwork
from quantlib.ptq import QuantizedNetwork, Site
from quantlib.qat.fused import uncompiled
from quantlib.qat.scheme import quantized_layers, quantized_products
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.packed import packed_sizes
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.runtime.choice import INTEGER, ONNX, Runtime
from quantlib.runtime.computed import Compute, ComputedNetwork
from quantlib.runtime.forms import onnx_form
from quantlib.runtime.integer import integer_network
from quantlib.runtime.lowering import KEPT
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_running import OnnxModule, open_onnx

Pictures = Iterable[Tensor] | None


class RunningNetwork(ComputedNetwork):
    """A quantized network that `compute` runs; what its activations take is counted as before.

    Where the method has a scale per channel, integers have one per tensor, and a zero point where
    values are negative.
    """

    def __init__(self, simulated: QuantizedNetwork, compute: Compute) -> None:
        super().__init__(simulated.site_network, simulated.settings)
        self.compute = compute
        self._shapes = _shapes_of(simulated.site_network.network)
        self._counted: dict[tuple[int, ...], dict[str, ByteSizes]] = {}

    @torch.inference_mode()
    def measure(self, x: Tensor) -> tuple[Tensor, dict[str, ByteSizes]]:
        shape = tuple(x.shape)
        if shape not in self._counted:
            self._counted[shape] = self._sizes(x)
        return self(x), dict(self._counted[shape])

    def _sizes(self, x: Tensor) -> dict[str, ByteSizes]:
        """The bytes of every site, of whose activations only the shapes are computed."""
        found: dict[str, ByteSizes] = {}

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            add_sizes(found, {site.name: self._size(site, a)})
            return a

        with uncompiled():
            try:
                self.site_network.run(x.to("meta"), visit, self._shapes)
            except (RuntimeError, NotImplementedError):  # its way depends on values
                found.clear()
                self.site_network.run(x, visit)
        return found

    def _size(self, site: Site, a: Tensor) -> ByteSizes:
        entry = self.settings.entry
        if entry.stands is not None:
            return entry.stands(self.site_network, site).measure(a)[1]
        bits = BitWidth(self.settings.bits)
        return packed_sizes(tuple(a.shape), bits, scales=1, offsets=int(not site.nonnegative))


def _shapes_of(network: nn.Module) -> nn.Module:
    """A copy that computes shapes alone; its layers quantize nothing, as that takes values."""
    twin = copy.deepcopy(network)
    for layer in quantized_layers(twin).values():
        layer.activation, layer.weight_quantizer = None, nn.Identity()  # type: ignore[assignment]
    for attention in quantized_products(twin).values():
        attention.factors = nn.ModuleList(
            nn.ModuleList(nn.Identity() for _ in pair)  # type: ignore[union-attr]
            for pair in attention.factors
        )
    return twin.to("meta")


def at_runtime(
    network: QuantizedNetwork, runtime: Runtime, pictures: Pictures = None
) -> QuantizedNetwork:
    """`network` as `runtime` computes it; itself where that is PyTorch.

    Ranges that nothing was learned for are measured on `pictures` `(N, 3, H, W)`, by default on
    crops of the sample photographs. Raises a QuantlibError where the method has no integers, and
    where the network has no form at that runtime.
    """
    if runtime.simulates:
        return network
    runtime.check(network.settings)
    return RunningNetwork(network, _COMPUTED[runtime.name](network, runtime, pictures))


def _integers(network: QuantizedNetwork, runtime: Runtime, pictures: Pictures) -> Compute:
    inside: Any = network.site_network.network
    made = integer_network(inside, runtime.ends, pictures)
    if len(made.kept) == len(made.layers):
        told = next((layer for layer in made.kept if layer.why_not != KEPT), made.kept[0])
        raise QuantlibError(
            f"No layer of {inside.name or 'this network'} runs as integers ({told.name}: "
            f"{told.why_not}); run it with --runtime torch."
        )
    return made


def _onnx(network: QuantizedNetwork, runtime: Runtime, pictures: Pictures) -> Compute:
    inside: Any = network.site_network.network
    form = onnx_form(network.settings)
    opened = open_onnx(export_onnx(inside, form, pictures))
    return inside.around(OnnxModule(opened)) if isinstance(inside, SRNetwork) else opened


_COMPUTED = {INTEGER: _integers, ONNX: _onnx}
