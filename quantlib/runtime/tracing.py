"""The graph of a network: its layers and what is done between them."""

from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

Node = Any  # fx.Node, whose arguments are typed too widely to be read
LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)


def is_layer(module: nn.Module | None) -> bool:
    """Whether a module is one that multiplies its input with weights."""
    return isinstance(module, LAYERS)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        whole = isinstance(m, (*LAYERS, _BatchNorm))
        return whole or super().is_leaf_module(m, module_qualified_name)


def traced(network: nn.Module) -> fx.GraphModule | None:
    """The graph of `network`, parameters shared; None where what it does depends on its input.

    >>> graph = traced(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    >>> [node.op for node in graph.graph.nodes]
    ['placeholder', 'call_module', 'call_module', 'output']
    """
    try:
        graph = _Tracer().trace(network)
    except Exception:  # a size, a branch or a function that it cannot follow: each fails otherwise
        return None
    return fx.GraphModule(network, graph)


def nodes(graph: fx.GraphModule) -> list[Node]:
    """What is done, in order, as it is now."""
    return list(graph.graph.nodes)


def is_node(argument: object) -> bool:
    """Whether an argument is a value that the graph computes."""
    return isinstance(argument, fx.Node)


def calls(node: object, *functions: object) -> bool:
    """Whether a node calls one of these functions or, by name, a method."""
    if not isinstance(node, fx.Node) or node.op not in ("call_function", "call_method"):
        return False
    return node.target in functions


def module_of(node: object) -> nn.Module | None:
    """The module that a node calls, or None."""
    if not isinstance(node, fx.Node) or node.op != "call_module":
        return None
    owner = node.graph.owning_module
    assert owner is not None
    return owner.get_submodule(str(node.target))


def is_relu(node: Node) -> bool:
    """Whether a node rectifies."""
    if isinstance(module_of(node), nn.ReLU):
        return True
    return calls(node, functional.relu, torch.relu, "relu", "relu_", torch.relu_)


def shuffle_factor(node: Node) -> int:
    """The factor of a pixel shuffle; 0 for other nodes."""
    module = module_of(node)
    if isinstance(module, nn.PixelShuffle):
        return module.upscale_factor
    if calls(node, functional.pixel_shuffle) and is_node(node):
        return int(node.args[1])
    return 0
