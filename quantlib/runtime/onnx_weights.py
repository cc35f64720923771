"""What an exported ONNX file stores of a network's weights."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from quantlib.models.graphs.library import onnx_library

_WEIGHT = re.compile(r"_weight(\.\d+)?$")


@dataclass(frozen=True)
class StoredWeights:
    """How many layers' weights have a type, by its name in ONNX, and the bytes of all constants."""

    types: Mapping[str, int]
    nbytes: int

    @classmethod
    def of(cls, content: bytes) -> "StoredWeights":
        """Those of a file that `export_onnx` made."""
        onnx = onnx_library()
        stored = onnx.load_from_string(content).graph.initializer
        name_of = onnx.TensorProto.DataType.Name
        types = Counter(name_of(one.data_type) for one in stored if _WEIGHT.search(one.name))
        return cls(dict(types), sum(len(one.raw_data) for one in stored))
