"""What a folder holds, so that it can be held against another."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

VOLATILE = {"seconds", "hours", "seconds, simulated"}
"""What a run took; all else is the same whenever and however often it was broken off."""
CHECK = 32
"""Bytes before a result that a server keeps, which say what the others have to be."""


def contents(folder: Path) -> dict[str, Any]:
    """All files below `folder` by name, each as what it says; fails on one that is not whole."""
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    return {
        str(path.relative_to(folder)): content(path.suffix, path.read_bytes()) for path in files
    }


def content(suffix: str, data: bytes) -> Any:
    """The bytes, or, where they hold a clock's figures, everything else.

    >>> content(".json", b'{"psnr_y": 35.5, "run": {"hours": 2}}')
    {'psnr_y': 35.5, 'run': {}}
    """
    match suffix:
        case ".json":
            return _lasting(json.loads(data))
        case ".pt":
            return _lasting(torch.load(BytesIO(data), weights_only=True))
        case ".zip":
            with zipfile.ZipFile(BytesIO(data)) as held:
                assert held.testzip() is None
                return {n: content(Path(n).suffix, held.read(n)) for n in held.namelist()}
        case "" if hashlib.sha256(data[CHECK:]).digest() == data[:CHECK]:
            return "a result that is kept"
    return data


def _lasting(value: Any) -> Any:
    match value:
        case Mapping():
            return {k: _lasting(one) for k, one in value.items() if k not in VOLATILE}
        case list() | tuple():
            return [_lasting(one) for one in value]
        case Tensor():
            return str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes()
    return value
