"""Damaged ONNX files, loaded as a page loads what is dropped on it, and tried on a picture."""

from functools import cache

import numpy as np
import onnx

from tests.fuzz import weights
from tests.fuzz.checkpoints import File
from tests.fuzz.mutating import CLAIMS, chosen, mutated
from tests.fuzz.running import Engine
from tests.fuzz.weights import SUPER_RESOLUTION
from tests.models.graphs.building import enlarging
from tests.models.graphs.small_networks import onnx_file, small

KINDS = ("RFDN", "Restormer")
SMALL = (-(1 << 63), -3, -1, 0, 1, 2, 3, 5, 16, 61)


def make(random: np.random.Generator) -> bytes:
    """A file with damaged bytes, or a whole one that asks for something else."""
    if random.random() < 0.5:
        content = mutated(_files(), random)
    else:
        content = _asking_for_more(chosen(_files(), random), random)
    return weights.packed(File(SUPER_RESOLUTION.name, ".onnx", content))


def _asking_for_more(content: bytes, random: np.random.Generator) -> bytes:
    """An attribute, a size or a name of the graph becomes another."""
    model = onnx.load_from_string(content)
    graph = model.graph
    for _ in range(chosen((1, 1, 2, 4), random)):
        node = chosen(graph.node, random)
        number = chosen(SMALL if random.random() < 0.7 else CLAIMS, random)
        numbers = [one for one in node.attribute if one.ints or one.HasField("i")]
        constants = [one.attribute[0].t for one in graph.node if one.op_type == "Constant"]
        constants += [one for one in graph.initializer if one.data_type == onnx.TensorProto.INT64]
        match random.integers(6):
            case 0 if numbers:
                attribute = chosen(numbers, random)
                if attribute.ints:
                    attribute.ints[int(random.integers(len(attribute.ints)))] = number
                else:
                    attribute.i = number
            case 1 if constants:
                constant = chosen(constants, random)
                if constant.data_type == onnx.TensorProto.INT64 and constant.raw_data:
                    rest = constant.raw_data[8:]
                    constant.raw_data = int(number).to_bytes(8, "little", signed=True) + rest
            case 2 if node.input:
                node.input[int(random.integers(len(node.input)))] = chosen(
                    [name for other in graph.node for name in other.output], random
                )
            case 3:
                node.op_type = chosen([other.op_type for other in graph.node], random)
            case 4 if graph.initializer:
                stored = chosen(graph.initializer, random)
                if stored.dims:
                    stored.dims[int(random.integers(len(stored.dims)))] = number
            case _:
                graph.node.append(node)
    return model.SerializeToString()


@cache
def _files() -> list[bytes]:
    made = [enlarging().SerializeToString()]
    return made + [onnx_file(small(kind)) for kind in KINDS]


def warm() -> None:
    """What PyTorch imports for the sizes of tensors without values."""
    for content in _files():
        weights.handle(weights.packed(File(SUPER_RESOLUTION.name, ".onnx", content)))


ENGINE = Engine("mutated ONNX files", make, weights.handle, warm)
