"""The weights of a checkpoint file, read without running anything that is inside it.

A file may come from anybody, so nothing here takes a path: `models/files.py` does.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.pickled import read_pickle
from quantlib.models.unwrapping import unwrapped

PICKLES = (".pt", ".pth", ".bin", ".th", ".ckpt")
SUFFIXES = (".safetensors", *PICKLES)

LENGTH = 8
"""Bytes in front of a safetensors file's header that say how long it is."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Names and tensors of a file, on the CPU.

    `name` is what the file is called; `metadata` are those of a safetensors file; `sha256` that of
    the file, in hexadecimal; `notes` what a person should know about how it was read.
    """

    name: str
    weights: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, source: bytes | BinaryIO, name: str) -> "Checkpoint":
        """The checkpoint in the bytes of a file, or in an open one; `name` tells its format.

        Raises a `QuantlibError` for what is damaged, refused, without tensors or not finite, and
        for a name that does not end in one of `SUFFIXES`.

        >>> import io, torch
        >>> file = io.BytesIO()
        >>> torch.save({"state_dict": {"module.scale": torch.tensor([2.0])}, "epoch": 3}, file)
        >>> Checkpoint.read(file.getvalue(), "tiny.pth").weights
        {'scale': tensor([2.])}
        """
        suffix = require_suffix(name)
        content = source if isinstance(source, bytes) else source.read()
        if content.startswith(b"version https://git-lfs"):
            raise QuantlibError(
                f"{name} is a Git LFS pointer, not the weights; fetch them with `git lfs pull`."
            )
        metadata: Mapping[str, str] = {}
        if suffix == ".safetensors":
            found, metadata = _read_safetensors(content, name)
        else:
            found = read_pickle(content, name)
        weights = unwrapped(found)
        if not weights:
            raise QuantlibError(f"{name} holds no weights; choose the checkpoint of a network.")
        _require_finite(weights, name)
        return cls(name, weights, metadata, hashlib.sha256(content).hexdigest())


def require_suffix(name: str) -> str:
    """The ending of a checkpoint's name; a `QuantlibError` for what is none of `SUFFIXES`.

    >>> require_suffix("net.PTH")
    '.pth'
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise QuantlibError(
            f"{name} is not a checkpoint; its name must end in {', '.join(SUFFIXES)}."
        )
    return suffix


def _read_safetensors(content: bytes, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        tensors = load_safetensors(content)
        end = LENGTH + int.from_bytes(content[:LENGTH], "little")
        header = json.loads(content[LENGTH:end])
    except (SafetensorError, OSError, ValueError) as error:
        raise QuantlibError(
            f"{name} is not a complete safetensors file; download or export it again."
        ) from error
    return tensors, header.get("__metadata__") or {}


def _require_finite(weights: Mapping[str, Tensor], file: str) -> None:
    for name, value in weights.items():
        if value.is_floating_point() and not value.float().isfinite().all():
            raise QuantlibError(
                f"{file} holds values in {name} that are not finite numbers; "
                "choose another checkpoint."
            )
