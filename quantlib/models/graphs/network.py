"""A network that takes the steps of a graph."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.checkpoint import GRAPH
from quantlib.models.graphs.plan import Fixed, Plan, Source, Step, Value
from quantlib.models.graphs.shapes import computed

Watch = Callable[[Step, list[Any], list[Any], Mapping[str, Any]], None]
"""Hears of a step, its inputs and outputs, and of everything that is held after it."""

_FAILURES = (
    *(RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError),
    *(ArithmeticError, NotImplementedError),
)


class OnnxNetwork(nn.Module):
    """The network of a graph, with its layers under the names that they had before the export.

    `batches` is whether it takes several pictures in one pass; where it does not, they pass one
    after the other.
    """

    onnx_graph: Tensor

    def __init__(
        self,
        plan: Plan,
        layers: Mapping[str, nn.Module],
        weights: Mapping[str, tuple[Tensor, bool]],
        graph: Tensor,
    ) -> None:
        super().__init__()
        self.plan = plan
        self.batches = True
        self.register_buffer(GRAPH, graph)
        for name, layer in layers.items():
            parent, last = self._place(name)
            parent.add_module(last, layer)
        for name, (value, is_learned) in weights.items():
            parent, last = self._place(name)
            if is_learned:
                own = value.clone(
                    memory_format=torch.contiguous_format
                )  # exporters tie what is equal
                parent.register_parameter(last, nn.Parameter(own, requires_grad=False))
            else:
                parent.register_buffer(last, value, persistent=False)
        self.eval()

    def _place(self, name: str) -> tuple[nn.Module, str]:
        """The module that holds `name`, made where it is not there yet, and the name in it."""
        module: nn.Module = self
        *path, last = name.split(".")
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        return module, last

    def forward(self, x: Tensor) -> Tensor:
        if self.batches or x.shape[0] == 1:
            return self.run(x)
        return torch.cat([self.run(one) for one in x.split(1)])

    def run(self, x: Tensor, watch: Watch | None = None) -> Tensor:
        """One pass; a QuantlibError that names the operator which cannot be computed."""
        values: dict[str, Any] = {self.plan.input: x}
        for step in self.plan.steps:
            try:
                given = [self._given(source, values) for source in step.inputs]
                made = self._made(step, given)
            except _FAILURES as error:
                raise QuantlibError(
                    f"{step.what} of {self.plan.file} cannot be computed for this picture; choose "
                    "a larger one, or export the network with dynamic height and width."
                ) from error
            values.update(zip(step.outputs, made, strict=False))
            for name in step.done:
                del values[name]
            if watch is not None:
                watch(step, given, made, values)
        return values[self.plan.output]

    def _given(self, source: Source, values: Mapping[str, Any]) -> Any:
        if isinstance(source, Fixed):
            return source.value
        if isinstance(source, Value):
            value = values[source.name]
            return _only(value) if source.number else value
        module: Any = self
        for part in source.name.split("."):
            module = getattr(module, part)
        return module

    def _made(self, step: Step, given: list[Any]) -> list[Any]:
        if step.sizes:
            return computed(step.function, *given)  # type: ignore[arg-type]
        if step.function is None:
            return [self.get_submodule(step.layer)(*given)]
        made = step.function(*given)
        several = range(len(step.outputs))
        return [made[at] for at in several] if len(several) > 1 else [made]


def _only(sizes: np.ndarray) -> Any:
    """The number in an array that holds one."""
    (number,) = sizes.reshape(-1).tolist()
    return number
