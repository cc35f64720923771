"""From a graph to the steps, layers and constants of a network."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.models.allocation import ClaimError
from quantlib.models.graphs.layers import LAYERS, NORM, PRODUCTS, Layer, layer_of, norm_of
from quantlib.models.graphs.naming import Names
from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators import OPERATORS
from quantlib.models.graphs.plan import Fixed, Plan, Source, Step, Value, Weight
from quantlib.models.graphs.reading import Graph
from quantlib.models.graphs.shapes import SHAPES, computed
from quantlib.models.graphs.tensors import tensor_of

SIZES = ("Shape", "Size")
SEVERAL = ("Split",)
"""The operators of whose outputs more than the first may be used."""
SPARE = 1 << 22
"""Elements that constants may be computed to, beside twice those that the file holds."""


@dataclass(frozen=True, eq=False)
class _Constant:
    """A value that does not depend on the picture, and the names of what it was made of."""

    value: Tensor
    origins: frozenset[str] = frozenset()


@dataclass(eq=False)
class Planning:
    """What a network is made of.

    `weights` are constants beside layers: those that were learned, and others. `absorbed` are the
    constants of the file whose values the layers and the learned weights hold.
    """

    graph: Graph
    file: str
    blank: bool = False
    layers: dict[str, nn.Module] = field(default_factory=dict)
    weights: dict[str, tuple[Tensor, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._steps: list[Step] = []
        self._constants: dict[str, _Constant] = {}
        self._sizes: set[str] = set()
        self._values = {self.graph.input}
        self._names = Names()
        self._known_layers: dict[tuple[Any, ...], str] = {}
        self._known_weights: dict[str, str] = {}
        self._held: set[str] = set()
        self._needed: set[str] = set()
        nodes = self._needed_nodes()
        readers = Counter(name for node in nodes for name in set(node.inputs))
        self._only_readers = {
            name: node for node in nodes for name in node.inputs if readers[name] == 1
        }
        self._left = SPARE
        for name, stored in self.graph.constants.items():
            value = tensor_of(stored, self.blank)
            self._left += 2 * value.numel()
            self._constants[name] = _Constant(value, frozenset({name}))
        for node in nodes:
            self._add(node)
        if self.graph.output not in self._values:
            raise ValueError("the output does not depend on the input")

    @property
    def absorbed(self) -> frozenset[str]:
        return frozenset(self._held - self._needed)

    @property
    def plan(self) -> Plan:
        """The steps, each with the values that are not needed after it."""
        last = {
            source.name: at
            for at, step in enumerate(self._steps)
            for source in step.inputs
            if isinstance(source, Value)
        }
        last.pop(self.graph.output, None)
        done: dict[int, list[str]] = {}
        for name, at in last.items():
            done.setdefault(at, []).append(name)
        steps = (replace(step, done=tuple(done.get(n, ()))) for n, step in enumerate(self._steps))
        return Plan(tuple(steps), self.graph.input, self.graph.output, self.file)

    def _needed_nodes(self) -> list[Node]:
        """The operators that the output depends on; a ValueError where they are not in order."""
        wanted, found, made = {self.graph.output}, [], {self.graph.input, *self.graph.constants}
        for node in reversed(self.graph.nodes):
            if wanted & set(node.outputs):
                found.append(node)
                wanted |= set(node.inputs)
        for node in reversed(found):
            if any(name and name not in made for name in node.inputs):
                raise ValueError(f"{node.place} comes before its inputs")
            if any(name in made for name in node.outputs if name):
                raise ValueError(f"{node.place} gives what is there already")
            made.update(node.outputs)
        return found[::-1]

    def _add(self, node: Node) -> None:
        if node.outputs[0] in self._values:  # joined with the layer before it
            return
        given = [name for name in node.inputs if name]
        if node.kind == "Constant":
            self._constants[node.outputs[0]] = _Constant(_stated(node))
        elif all(name in self._constants for name in given):
            self._fold(node)
        elif node.kind in SIZES or not (self._values & {*given} or self._shapes_weights(node)):
            self._add_sizes(node)
        elif node.kind == NORM:
            self._add_norm(node)
        elif not (node.kind in LAYERS and self._add_layer(node)):
            self._add_function(node)

    def _fold(self, node: Node) -> None:
        """Computes what does not depend on the picture, once and within bounds."""
        constants = [self._constants[name] if name else None for name in node.inputs]
        origins = frozenset().union(*(one.origins for one in constants if one))
        values = [None if one is None else one.value for one in constants]
        if node.kind in OPERATORS:
            operator = OPERATORS[node.kind]
            made = operator.make(node)(
                *(
                    value.numpy() if at in operator.settings and value is not None else value
                    for at, value in enumerate(values)
                )
            )
            results = list(made) if isinstance(made, list | tuple) else [made]
        elif node.kind in SHAPES:
            arrays = (None if value is None else value.numpy() for value in values)
            made = computed(SHAPES[node.kind](node), *arrays)
            results = [torch.from_numpy(np.array(_narrow(one))) for one in made]
        else:
            raise UnsupportedError(node.kind)
        self._left -= sum(result.numel() for result in results)
        if self._left < 0:
            raise ClaimError("constants are computed from few to many")
        for name, result in zip(node.outputs, results, strict=False):
            self._constants[name] = _Constant(result, origins)

    def _shapes_weights(self, node: Node) -> bool:
        """Whether sizes only say how weights are laid out, which makes no size of them."""
        if node.kind not in OPERATORS:
            return False
        settings = OPERATORS[node.kind].settings
        shaped = [name for at, name in enumerate(node.inputs) if name and at not in settings]
        return bool(shaped) and all(
            name in self._constants and self._constants[name].value.is_floating_point()
            for name in shaped
        )

    def _add_sizes(self, node: Node) -> None:
        if node.kind not in SHAPES:
            raise UnsupportedError(f"{node.kind} on sizes")
        sources = [self._setting(name) for name in node.inputs]
        self._step(node, sources, function=SHAPES[node.kind](node), sizes=True)

    def _add_function(self, node: Node) -> None:
        if node.kind not in OPERATORS:
            raise UnsupportedError(node.kind)
        operator = OPERATORS[node.kind]
        sources = [
            self._setting(name) if at in operator.settings else self._source(name)
            for at, name in enumerate(node.inputs)
        ]
        work = math.prod(node.get("kernel_shape", ()))
        self._step(node, sources, function=operator.make(node), work=max(1, work))

    def _add_layer(self, node: Node) -> bool:
        """Whether a layer does it: with weights that are constants."""
        x, weight, *rest = node.inputs
        bias = rest[0] if rest else ""
        if x not in self._values or not {weight, bias} <= {*self._constants, ""}:
            return False
        outputs = node.outputs
        if node.kind == "MatMul" and (after := self._only_readers.get(outputs[0])) is not None:
            bias, outputs = self._bias_in(after, outputs, weight)
        constants = self._constants[weight], self._constants[bias] if bias else None
        made = layer_of(node, constants[0].value, constants[1].value if constants[1] else None)
        if made is None:
            return False
        self._held.update(*(one.origins for one in constants if one))
        if made.pad:
            x = self._padded(node, x, made)
        key = weight, bias, str(made.module), node.kind in PRODUCTS
        if key not in self._known_layers:
            self._known_layers[key] = self._names.layer(node, weight)
            self.layers[self._known_layers[key]] = made.module
        kernel: Any = made.module.weight
        self._step(
            replace(node, outputs=outputs),
            [Value(x)],
            layer=self._known_layers[key],
            work=kernel[0].numel(),
        )
        return True

    def _add_norm(self, node: Node) -> None:
        x, *names = node.inputs
        if x not in self._values or not {*names} <= self._constants.keys():
            raise UnsupportedError(f"{node.kind} with statistics of the picture")
        scale, bias, mean, variance = (self._constants[name] for name in names)
        module = norm_of(node, scale.value, bias.value, mean.value, variance.value)
        self._held.update(*(one.origins for one in (scale, bias, mean, variance)))
        name = self._names.layer(node, names[0])
        self.layers[name] = module
        self._step(node, [Value(x)], layer=name)

    def _bias_in(
        self, after: Node, outputs: tuple[str, ...], weight: str
    ) -> tuple[str, tuple[str, ...]]:
        """The bias that `after` adds to a product, where it does nothing else."""
        others = [name for name in after.inputs if name not in outputs]
        is_read = outputs[0] != self.graph.output
        if after.kind != "Add" or len(others) != 1 or others[0] not in self._constants:
            return "", outputs
        shape = self._constants[others[0]].value.shape
        fits = self._constants[weight].value.shape[1:] == shape
        return (others[0], after.outputs) if fits and is_read else ("", outputs)

    def _padded(self, node: Node, x: str, made: Layer) -> str:
        name = f"{x} padded for {node.outputs[0]}"
        pad = made.pad
        self._step(
            replace(node, outputs=(name,)),
            [Value(x)],
            function=lambda x: functional.pad(x, pad),
        )
        return name

    def _step(
        self,
        node: Node,
        sources: Iterable[Source],
        function: Any = None,
        layer: str = "",
        sizes: bool = False,
        work: int = 1,
    ) -> None:
        outputs = node.outputs if node.kind in SEVERAL else node.outputs[:1]
        step = Step(node.kind, node.place, tuple(sources), outputs, function, layer, sizes, work)
        self._steps.append(step)
        (self._sizes if sizes else self._values).update(outputs)

    def _setting(self, name: str) -> Source:
        """An input that says how something is done: never what follows from the pixels."""
        if not name:
            return Fixed(None)
        if name in self._constants:
            self._needed |= self._constants[name].origins
            return Fixed(self._constants[name].value.numpy())
        if name in self._sizes or name in self._values:
            return Value(name)
        raise ValueError(name)

    def _source(self, name: str) -> Source:
        if not name:
            return Fixed(None)
        if name in self._values or name in self._sizes:
            return Value(name, number=name in self._sizes)
        constant = self._constants[name]
        if constant.value.dim() == 0:
            self._needed |= constant.origins
            return Fixed(constant.value.item())
        if name not in self._known_weights:
            is_learned = bool(constant.origins) and constant.value.is_floating_point()
            self._known_weights[name] = self._names.free(name, "weight")
            self.weights[self._known_weights[name]] = constant.value, is_learned
            (self._held if is_learned else self._needed).update(constant.origins)
        return Weight(self._known_weights[name])


def _stated(node: Node) -> Tensor:
    """The value of a `Constant`."""
    for name, value in node.attributes.items():
        if name == "value":
            return tensor_of(value)
        if name in ("value_float", "value_int", "value_floats", "value_ints"):
            kind = torch.float32 if "float" in name else torch.int64
            return torch.from_numpy(np.array(value)).to(kind)
    raise UnsupportedError("a Constant of text")


def _narrow(array: Any) -> Any:
    return array.astype(np.float32) if array.dtype.kind == "f" else array
