"""The weights of a checkpoint file, read without running anything that is inside it.

A file may come from anybody, so nothing here takes a path: `models/files.py` does.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.pickled import read_pickle
from quantlib.models.suffixes import ONNX, require_suffix
from quantlib.models.unwrapping import unwrapped

GRAPH = "onnx_graph"
"""The name under which weights have the graph of operators that they belong to, as bytes."""

MOST_NAMES = 5_000
MOST_SIDES = 8
"""Dimensions of a weight; PyTorch itself computes with 64 at most."""
MOST_LAYERS = 500
"""What names count to; many readers go through all names for each layer."""
MOST_SKIPPED = 64
"""Numbers in names that may be left out, beside one for each name: layers without weights."""
MOST_REPEATED = 4
"""Times its own size that tensors of a file may sum up to: the same values under several names."""
MOST_SHOWN = 60

_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
DTYPES = {*_FLOATS, *_INTEGERS}
SAFETENSORS_TYPES = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"}

LENGTH = 8
"""Bytes in front of a safetensors file's header that say how long it is."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Names and tensors of a file, on the CPU.

    `name` is what the file is called; `metadata` are those of a safetensors file; `sha256` that of
    the file, in hexadecimal; `notes` what a person should know about how it was read. `bits` of
    weights and activations are what whoever loads it states.
    """

    name: str
    weights: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    notes: tuple[str, ...] = ()
    bits: tuple[int, int] | None = None

    @classmethod
    def read(cls, source: "bytes | BinaryIO | Checkpoint", name: str) -> "Checkpoint":
        """The checkpoint in the bytes of a file, or in an open one; `name` tells its format.

        One that was read already stays as it is.

        Raises a `QuantlibError` for what is damaged, refused, without tensors or not finite, and
        for a name that does not end in one of `SUFFIXES` or in `ONNX`. A network is made of the
        bytes of an ONNX file later.

        >>> import io, torch
        >>> file = io.BytesIO()
        >>> torch.save({"state_dict": {"module.scale": torch.tensor([2.0])}, "epoch": 3}, file)
        >>> Checkpoint.read(file.getvalue(), "tiny.pth").weights
        {'scale': tensor([2.])}
        """
        if isinstance(source, Checkpoint):
            return source
        suffix = require_suffix(name)
        content = source if isinstance(source, bytes) else source.read()
        if content.startswith(b"version https://git-lfs"):
            raise QuantlibError(
                f"{name} is a Git LFS pointer, not the weights; fetch them with `git lfs pull`."
            )
        metadata: Mapping[str, str] = {}
        found: object
        if suffix == ".safetensors":
            found, metadata = _read_safetensors(content, name)
        elif suffix == ONNX:
            found = {GRAPH: torch.from_numpy(np.frombuffer(content, np.uint8).copy())}
        else:
            found = read_pickle(content, name)
        weights, notes = unwrapped(found)
        if not weights:
            raise QuantlibError(f"{name} holds no weights; choose the checkpoint of a network.")
        _require_held(weights, len(content), name)
        _require_finite(weights, name)
        return cls(name, weights, metadata, hashlib.sha256(content).hexdigest(), notes)


def _read_safetensors(content: bytes, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    damaged = f"{name} is not a complete safetensors file; download or export it again."
    try:
        end = LENGTH + int.from_bytes(content[:LENGTH], "little")
        header = json.loads(content[LENGTH:end])
        metadata = header.pop("__metadata__", None) or {}
        types = {stated["dtype"] for stated in header.values()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise QuantlibError(damaged) from error
    if len(header) > MOST_NAMES:
        raise QuantlibError(
            f"{name} holds {len(header):,} tensors, more than any network here; choose another "
            "checkpoint."
        )
    if unknown := types - SAFETENSORS_TYPES:
        raise QuantlibError(
            f"{name} holds values of type {shown(str(min(unknown, key=str)))}; choose a checkpoint "
            "with plain weights."
        )
    try:
        return load_safetensors(content), metadata
    except (SafetensorError, OSError, ValueError) as error:
        raise QuantlibError(damaged) from error


def _require_held(weights: Mapping[str, Tensor], size: int, file: str) -> None:
    """Holds the number and the sizes of tensors against the `size` of the file, in bytes."""
    if len(weights) > MOST_NAMES:
        raise QuantlibError(
            f"{file} holds {len(weights):,} weights, more than any network here; choose another "
            "checkpoint."
        )
    claimed, most = 0, min(2 * len(weights) + MOST_SKIPPED, MOST_LAYERS)
    for name, value in weights.items():
        if any(_is_beyond(part, most) for part in name.split(".")):
            raise QuantlibError(
                f"{file} counts to more layers than a network of its size has, as in "
                f"{shown(name)}; choose a complete checkpoint."
            )
        is_plain = value.layout == torch.strided and not value.is_meta and value.dim() <= MOST_SIDES
        if not is_plain or value.dtype not in DTYPES:
            raise QuantlibError(
                f"{file} holds {_kind(value)} under {shown(name)}; choose a checkpoint with plain "
                "weights."
            )
        nbytes = value.numel() * value.element_size()
        claimed += nbytes
        if nbytes > value.untyped_storage().nbytes() or claimed > MOST_REPEATED * size:
            raise QuantlibError(
                f"{file} claims more values than it holds, as in "
                f"{shown(name)}; choose a complete checkpoint."
            )


def _is_beyond(part: str, most: int) -> bool:
    return part.isdecimal() and (len(part) > len(str(most)) or int(part) > most)


def _kind(value: Tensor) -> str:
    if value.is_meta:
        return "a tensor without values"
    if value.layout != torch.strided:
        return "a sparse tensor"
    if value.dim() > MOST_SIDES:
        return f"a tensor of {value.dim()} dimensions"
    return f"values of type {str(value.dtype).removeprefix('torch.')}"


def shown(name: str) -> str:
    """A name out of a file as it may stand in a sentence.

    >>> shown("body.0.weight"), shown("a\\n" * 100)
    ('body.0.weight', 'a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a …')
    """
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]}…"


def _require_finite(weights: Mapping[str, Tensor], file: str) -> None:
    for name, value in weights.items():
        if value.is_floating_point() and not value.float().isfinite().all():
            raise QuantlibError(
                f"{file} holds values in {shown(name)} that are not finite numbers; "
                "choose another checkpoint."
            )
