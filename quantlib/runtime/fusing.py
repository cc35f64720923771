"""Joins integer layers with what lies between them, so that fewer passes go over memory."""

import operator
from dataclasses import replace

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from quantlib.runtime.branches import join_chains
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.layers import Accumulate, IntegerLayer, Quantize
from quantlib.runtime.products import Requantisation
from quantlib.runtime.tracing import (
    Node,
    calls,
    is_layer,
    is_node,
    is_relu,
    module_of,
    nodes,
    shuffle_factor,
)

THIN = 4  # outputs that leave most lanes of a processor empty


def fuse(graph: fx.GraphModule) -> None:
    """Every quantizer once per value and grid, then into the layer or the sum in front of it."""
    _share_quantizers(graph)
    for node in nodes(graph):
        if isinstance(module_of(node), Quantize) and not _into_layer(graph, node):
            _into_sum(graph, node)
    graph.graph.eliminate_dead_code()
    for node in nodes(graph):
        _sum_alone(graph, node)
    _choose_places(graph)
    join_chains(graph)
    graph.delete_all_unused_submodules()
    graph.graph.lint()
    graph.recompile()


def _share_quantizers(graph: fx.GraphModule) -> None:
    seen: dict[tuple[Node, float, int, int], list[tuple[Node, Tensor | None]]] = {}
    for node in nodes(graph):
        quantizer = module_of(node)
        if not isinstance(quantizer, Quantize):
            continue
        grid = quantizer.grid
        same = seen.setdefault((node.args[0], grid.step, grid.qmin, grid.qmax), [])
        twin = next((other for other, shift in same if _equal(shift, grid.shift)), None)
        if twin is None:
            same.append((node, grid.shift))
        else:
            node.replace_all_uses_with(twin)
            graph.graph.erase_node(node)


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return torch.equal(one, other)


def _into_layer(graph: fx.GraphModule, node: Node) -> bool:
    """Lets the integer layer in front of a quantizer give the codes; shuffles move bytes then."""
    quantizer = module_of(node)
    assert isinstance(quantizer, Quantize)
    source, between, relu, shuffled = node.args[0], [], False, 1
    while is_node(source) and len(source.users) == 1:
        layer = module_of(source)
        if isinstance(layer, IntegerLayer):
            break
        if is_relu(source):
            relu = True
            between.append(source)
        elif factor := shuffle_factor(source):
            shuffled *= factor**2
        elif not isinstance(layer, (nn.Identity, nn.Dropout)):
            return False
        source = source.args[0]
    layer = module_of(source)
    if not isinstance(layer, IntegerLayer) or len(source.users) > 1 or layer.output is not None:
        return False
    grid = quantizer.grid
    if grid.shift is not None:
        grid = replace(grid, shift=grid.shift.repeat_interleave(shuffled))
    layer.output = Requantisation(grid, relu)
    for passed in between:
        passed.replace_all_uses_with(passed.args[0])
        graph.graph.erase_node(passed)
    node.replace_all_uses_with(node.args[0])
    graph.graph.erase_node(node)
    return True


def _into_sum(graph: fx.GraphModule, node: Node) -> None:
    """Lets the sum in front of a quantizer give the codes beside itself."""
    quantizer = module_of(node)
    assert isinstance(quantizer, Quantize)
    rectified = node.args[0]
    total = rectified.args[0] if is_relu(rectified) else rectified
    if (total is not rectified and len(total.users) > 1) or not _is_sum(total):
        return
    with graph.graph.inserting_after(rectified):
        both = _accumulate(graph, total, total is not rectified, quantizer.grid)
    with graph.graph.inserting_after(both):
        value = graph.graph.call_function(operator.getitem, (both, 0))
        codes = graph.graph.call_function(operator.getitem, (both, 1))
    node.replace_all_uses_with(codes)
    graph.graph.erase_node(node)
    rectified.replace_all_uses_with(value)


def _sum_alone(graph: fx.GraphModule, node: Node) -> None:
    """Lets a sum that nothing quantizes follow the convolution whose output it adds."""
    if not _is_sum(node):
        return
    layers = [module_of(argument) for argument in node.args]
    if any(isinstance(layer, IntegerLayer) and layer.keeps_size for layer in layers):
        with graph.graph.inserting_after(node):
            made = _accumulate(graph, node, False, None)
        node.replace_all_uses_with(made)
        graph.graph.erase_node(node)


def _is_sum(node: Node) -> bool:
    """Whether a node adds two values that the graph computes."""
    adds = calls(node, torch.add, operator.add, "add", operator.iadd, "add_")
    return adds and all(map(is_node, node.args))


def _accumulate(graph: fx.GraphModule, total: Node, relu: bool, grid: CodeGrid | None) -> Node:
    """Calls what adds, rectifies and quantizes in one pass, at the place where the graph stands."""
    kept, added = total.args
    alpha = float(total.kwargs.get("alpha", 1.0))
    if alpha == 1 and isinstance(module_of(kept), IntegerLayer):
        kept, added = added, kept
    factor, kept = _factor(graph, kept)
    name = f"sum_{total.name}"
    graph.add_module(name, Accumulate(factor, alpha, relu, grid))
    return graph.graph.call_module(name, (kept, added))


def _factor(graph: fx.GraphModule, node: Node) -> tuple[float, Node]:
    """A value as a number times another value: the learned shortcut of a residual block."""
    if calls(node, operator.mul, torch.mul, "mul") and len(node.users) == 1:
        value, number = node.args
        if is_node(number) and number.op == "get_attr" and is_node(value):
            tensor = operator.attrgetter(str(number.target))(graph)
            if tensor.numel() == 1:
                return float(tensor), value
    return 1.0, node


def _choose_places(graph: fx.GraphModule) -> None:
    """Sums overwrite what they add to where nobody reads it afterwards."""
    order = {node: place for place, node in enumerate(nodes(graph))}
    for node in nodes(graph):
        accumulate = module_of(node)
        if not isinstance(accumulate, Accumulate):
            continue
        if accumulate.grid is not None:
            results = {reader.args[1]: reader for reader in node.users}
            if 0 not in results:
                accumulate.keep = False
                results[1].replace_all_uses_with(node)
                graph.graph.erase_node(results[1])
        kept = node.args[0]
        others = [reader for reader in kept.users if reader is not node]
        accumulate.in_place = _is_fresh(kept) and all(
            order[reader] < order[node] and _copies(reader) for reader in others
        )


def _is_fresh(node: Node) -> bool:
    """Whether the value is a tensor of its own, no view and nobody else's."""
    module = module_of(node)
    summed = calls(node, operator.getitem) and isinstance(module_of(node.args[0]), Accumulate)
    return (
        summed
        or isinstance(module, (IntegerLayer, Accumulate))
        or (module is not None and is_layer(module))
    )


def _copies(reader: Node) -> bool:
    """Whether a reader is done with a value once it has run."""
    module = module_of(reader)
    ours = isinstance(module, (Quantize, IntegerLayer, Accumulate))
    return ours or (module is not None and is_layer(module))


def merge_thin_ends(graph: fx.GraphModule) -> None:
    """Moves a convolution with few outputs from behind a pixel shuffle to the front of it.

    There it has as many outputs as fill a vector, and its input is not moved at all.
    """
    for node in nodes(graph):
        layer = module_of(node)
        if type(layer) is not nn.Conv2d or layer.out_channels > THIN or not _is_plain_3x3(layer):
            continue
        (before,) = node.args
        factor = shuffle_factor(before)
        if not factor or len(before.users) > 1:
            continue
        graph.set_submodule(str(node.target), before_shuffle(layer, factor))
        node.args = before.args[:1]
        with graph.graph.inserting_after(node):
            shuffled = graph.graph.call_function(functional.pixel_shuffle, (node, factor))
        node.replace_all_uses_with(shuffled, lambda user, s=shuffled: user is not s)
        graph.graph.erase_node(before)
    graph.recompile()


def _is_plain_3x3(layer: nn.Conv2d) -> bool:
    shape = layer.kernel_size, layer.padding, layer.stride, layer.dilation, layer.groups
    return shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and layer.padding_mode == "zeros"


def before_shuffle(layer: nn.Conv2d, factor: int) -> nn.Conv2d:
    """The convolution in low resolution that gives, shuffled afterwards, what `layer` gives.

    Output pixel (a, b) of a cell sees, `v` steps away, pixel (a + v) mod r of a neighbouring cell.

    >>> layer, x = nn.Conv2d(2, 1, 3, padding=1), torch.rand(1, 8, 5, 6)
    >>> expected = layer(functional.pixel_shuffle(x, 2))
    >>> made = functional.pixel_shuffle(before_shuffle(layer, 2)(x), 2)
    >>> torch.allclose(made, expected, atol=1e-5)
    True
    """
    r, outputs, inputs = factor, layer.out_channels, layer.in_channels
    weight = layer.weight.new_zeros(outputs, r, r, inputs, r, r, 3, 3)
    for a in range(r):
        for b in range(r):
            for v in (-1, 0, 1):
                for u in (-1, 0, 1):
                    cell = (a + v) // r + 1, (b + u) // r + 1
                    pixel = (a + v) % r, (b + u) % r
                    tap = layer.weight.detach()[:, :, v + 1, u + 1]
                    weight[:, a, b, :, *pixel, *cell] = tap
    merged = nn.Conv2d(inputs * r * r, outputs * r * r, 3, padding=1, bias=layer.bias is not None)
    merged = merged.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    merged.weight.data.copy_(weight.view_as(merged.weight))
    if layer.bias is not None and merged.bias is not None:
        merged.bias.data.copy_(layer.bias.detach().repeat_interleave(r * r))
    return merged
