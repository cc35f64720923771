"""Facts and arrays as bytes, to be kept."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import numpy as safetensors

_FACTS, _ARRAY = "facts", "array "


def to_bytes(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """A safetensors file of `facts`, which JSON can say, and `arrays` under any names.

    >>> content = to_bytes({"scale": 2}, {"b": np.arange(3), "a": np.ones(1)})
    >>> facts, arrays = from_bytes(content)
    >>> facts["scale"], list(arrays), arrays["b"].tolist()
    (2, ['b', 'a'], [0, 1, 2])
    """
    told = json.dumps({"facts": facts, "names": list(arrays)}).encode()
    named = {_ARRAY + name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return safetensors.save(named | {_FACTS: np.frombuffer(told, np.uint8)})


def from_bytes(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The facts, and the arrays in the order in which they were given."""
    found = safetensors.load(content)
    told = json.loads(found[_FACTS].tobytes())
    return told["facts"], {name: found[_ARRAY + name] for name in told["names"]}
