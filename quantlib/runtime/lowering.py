"""What of a network runs as integers: every layer with its answer, and the network that does it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from quantlib.coding.packing import unpack
from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.rlq import RLQ
from quantlib.quantizers.packed import PackedTensor
from quantlib.runtime.channel_scales import ChannelScale, separate_scales
from quantlib.runtime.fusing import fuse, merge_thin_ends
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.layers import IntegerLayer, Prepared, Quantize
from quantlib.runtime.products import Geometry, IntegerWeight
from quantlib.runtime.tracing import Node, is_layer, module_of, nodes, traced
from quantlib.runtime.windows import join_windows

KEPT = "it stays in FP32"


@dataclass(frozen=True)
class LoweredLayer:
    """One layer of a network: whether it runs as integers, and if not, why.

    Bits are those of the codes, 32 where the layer stays as it is.
    """

    name: str
    weight_bits: int = 32
    input_bits: int = 32
    why_not: str = ""

    @property
    def integer(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, eq=False)
class Lowering:
    """`network` with integer layers, and what was decided about each, in the network's order."""

    network: nn.Module
    layers: tuple[LoweredLayer, ...]

    def __getitem__(self, name: str) -> LoweredLayer:
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def integer_layers(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers if layer.integer)


@torch.no_grad()
def lower(
    network: nn.Module, grids: Mapping[str, CodeGrid] | None = None, kernels: bool = True
) -> Lowering:
    """`network`, which stays as it is, with integer layers where RLQ or `grids` say how.

    `grids` names layers whose inputs calibration found 8-bit codes for; their weights get 8 bits
    too. `kernels` False computes everything in the plain form. What lies between layers is joined
    with them in Swin blocks and where the graph of the network can be traced; elsewhere every
    layer stands alone.
    """
    grids, graph = grids or {}, traced(network)
    if graph is not None:
        fold_batch_norms(graph)
        separate_scales(graph)
        merge_thin_ends(graph)
        lowered, layers = _in_graph(graph, network, grids)
    else:
        lowered, layers = _one_by_one(network, grids)
        join_windows(lowered)
    for module in lowered.modules():
        if isinstance(module, Prepared):
            module.prepare(kernels)
    return Lowering(lowered.eval().requires_grad_(False), tuple(layers))


def _in_graph(
    graph: fx.GraphModule, network: nn.Module, grids: Mapping[str, CodeGrid]
) -> tuple[nn.Module, list[LoweredLayer]]:
    decided: dict[str, LoweredLayer] = {}
    for node in nodes(graph):
        layer, name = module_of(node), str(node.target)
        if layer is None or not is_layer(layer):
            continue
        decided[name], made = integer_layer(name, layer, grids.get(name))
        if made is not None:
            _replace(graph, node, made)
    fuse(graph)
    order = [name for name, module in network.named_modules() if name in decided]
    return graph, [decided[name] for name in order]


def _replace(graph: fx.GraphModule, node: Node, layer: IntegerLayer) -> None:
    """A quantizer and an integer layer in the place of the layer that `node` calls."""
    with graph.graph.inserting_before(node):
        codes, product = f"codes_{node.name}", f"integer_{node.name}"
        graph.add_module(codes, Quantize(layer.grid))
        graph.add_module(product, layer)
        quantized = graph.graph.call_module(codes, node.args)
        result = graph.graph.call_module(product, (quantized,))
    node.replace_all_uses_with(result)
    graph.graph.erase_node(node)


def _one_by_one(
    network: nn.Module, grids: Mapping[str, CodeGrid]
) -> tuple[nn.Module, list[LoweredLayer]]:
    twin, decided = structural_copy(network), []
    for name, layer in network.named_modules():
        if is_layer(layer):
            answer, made = integer_layer(name, layer, grids.get(name))
            decided.append(answer)
            if made is not None:
                twin.set_submodule(
                    name, nn.Sequential(*_scale_of(layer), Quantize(made.grid), made)
                )
    return twin, decided


def _scale_of(layer: nn.Module) -> list[nn.Module]:
    scale = getattr(layer, "input_scale", None)
    return [] if scale is None else [ChannelScale(scale)]


def integer_layer(
    name: str, layer: nn.Module, grid: CodeGrid | None = None
) -> tuple[LoweredLayer, IntegerLayer | None]:
    """What is to be said about a layer, and the integer one where there is one.

    A layer without a learned quantizer needs the `grid` of its input; one with scales for the
    channels of its input takes what they were multiplied with.
    """
    if why_not := _hindrance(layer, grid):
        return LoweredLayer(name, why_not=why_not), None
    geometry = Geometry.of(layer) if isinstance(layer, nn.Conv2d) else None
    bias: Tensor | None = layer.bias  # type: ignore[assignment]
    if isinstance(layer, (QuantConv2d, QuantLinear)):
        packed = layer.encode_weight()
        weight, bits = _stored(packed, layer.output_scale), packed.bitwidth.bits
        if isinstance(layer.activation, RLQ):
            grid = CodeGrid.of(layer.activation)
    else:
        weight, bits = IntegerWeight.rounded(layer.weight), 8  # type: ignore[arg-type]
    assert grid is not None
    answer = LoweredLayer(name, bits, (grid.qmax - grid.qmin).bit_length())
    return answer, IntegerLayer(weight, bias, grid, geometry)


def _hindrance(layer: nn.Module, grid: CodeGrid | None) -> str:
    """Why a layer cannot be computed with integers; empty where it can be."""
    if not isinstance(layer, (nn.Conv2d, nn.Linear)):
        return f"there is no integer kernel for a {type(layer).__name__}"
    if isinstance(layer, nn.Conv2d) and isinstance(layer.padding, str):
        return "its padding has no fixed size"
    if isinstance(layer, nn.Conv2d) and layer.padding_mode != "zeros":
        return f"it pads with {layer.padding_mode} values, not with zeros"
    if not isinstance(layer, (QuantConv2d, QuantLinear)):
        return "" if grid is not None else KEPT
    if layer.activation is None:
        measured = grid is not None and layer.input_scale is None
        return "" if measured else "its input is not quantized"
    if not isinstance(layer.activation, RLQ):
        return f"the levels of {layer.scheme.title} are no multiples of one step"
    if not layer.activation.initialised:
        return "its quantizer has seen no input yet"
    packed = layer.encode_weight()
    if packed.rule != "uniform" or packed.offsets.any():
        return "the levels of its weights are no multiples of one step"
    return ""


def _stored(packed: PackedTensor, output_scale: Tensor | None) -> IntegerWeight:
    codes = unpack(packed.codes, packed.bitwidth.bits, packed.bitwidth.signed, packed.shape)
    steps = torch.from_numpy(np.broadcast_to(packed.scales, packed.shape[:1]).copy())
    if output_scale is not None:
        steps = steps * output_scale.detach()
    return IntegerWeight(torch.from_numpy(codes.astype(np.int8)), steps)


def fold_batch_norms(graph: fx.GraphModule) -> None:
    """Puts the batch norms that follow convolutions into their weights."""
    for node in nodes(graph):
        norm = module_of(node)
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        layer = module_of(node.args[0])
        if isinstance(layer, nn.Conv2d) and len(node.args[0].users) == 1:
            graph.set_submodule(str(node.args[0].target), fuse_conv_bn_eval(layer, norm))
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
