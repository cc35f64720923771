"""Scales of the channels of a quantized layer's input, out of the layer into the graph.

They stand in front of the quantizer, so that the layer's sums know nothing of them. Where another
quantized layer gives the input, they become a part of its output's scales: rectifying lets a
positive factor pass.
"""

import operator

import torch
from torch import Tensor, fx, nn

from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear, scaled
from quantlib.runtime.tracing import Node, is_relu, module_of, nodes

Quantized = QuantConv2d | QuantLinear


class ChannelScale(nn.Module):
    """The channels of a value times `scale` `(C,)`, where there is no graph to put it into."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale.detach(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return scaled(x, self.scale)


def separate_scales(graph: fx.GraphModule) -> None:
    """Leaves no layer of `graph` an `input_scale`; the layers' own modules stay as they are."""
    for node in nodes(graph):
        layer = module_of(node)
        if not isinstance(layer, Quantized) or layer.input_scale is None:
            continue
        scale, readers = layer.input_scale.detach(), _calls(graph, node)
        plain = structural_copy(layer)
        plain.input_scale = None
        graph.set_submodule(str(node.target), plain)
        for reader in readers:
            before = _layer_before(graph, reader)
            if before is not None and bool((scale > 0).all()):
                graph.set_submodule(str(before.target), _giving(module_of(before), scale))
            else:
                _multiply(graph, reader, scale)


def _calls(graph: fx.GraphModule, node: Node) -> list[Node]:
    """All nodes that call the same layer."""
    return [one for one in nodes(graph) if one.op == node.op and one.target == node.target]


def _layer_before(graph: fx.GraphModule, node: Node) -> Node | None:
    """The quantized layer that gives the input of `node` and nothing else, rectified or not."""
    source = node.args[0]
    if is_relu(source) and len(source.users) == 1:
        source = source.args[0]
    alone = len(source.users) == 1 and isinstance(module_of(source), Quantized)
    return source if alone and len(_calls(graph, source)) == 1 else None


@torch.no_grad()
def _giving(layer: nn.Module | None, scale: Tensor) -> nn.Module:
    """A copy of a layer whose outputs are `scale` times as large."""
    assert isinstance(layer, Quantized)
    twin, own = structural_copy(layer), layer.output_scale
    twin.output_scale = nn.Parameter(scale if own is None else own * scale, requires_grad=False)
    if layer.bias is not None:
        twin.bias = nn.Parameter(layer.bias * scale, requires_grad=False)
    return twin


def _multiply(graph: fx.GraphModule, node: Node, scale: Tensor) -> None:
    name = f"scale_{node.name}"
    spread = isinstance(module_of(node), QuantConv2d)
    graph.register_buffer(name, scale.view(-1, 1, 1) if spread else scale)
    with graph.graph.inserting_before(node):
        value = graph.graph.get_attr(name)
        product = graph.graph.call_function(operator.mul, (node.args[0], value))
    node.args = (product, *node.args[1:])
