"""Pickles of PyTorch, read by its weights-only reader once their claims were looked at."""

import io
import os
import pickle
import re
import zipfile
from contextlib import suppress

import torch

from quantlib.errors import QuantlibError
from quantlib.models.opcodes import RefusedPickleError, inspect

ZIP = b"PK\x03\x04"
LEGACY_PICKLES = 5
"""In front of the values of a file older than PyTorch 1.6: two numbers, the machine, the content,
and the keys of the values."""
MOST_UNPACKED = 4
"""Times its own size that a zip file may unpack to; PyTorch does not compress."""


def read_pickle(content: bytes, name: str) -> object:
    """What a pickle of PyTorch holds: tensors and plain containers, nothing else is read."""
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise QuantlibError(
            f"{name} is a pickle, and TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD turns PyTorch's "
            "protection off; unset that variable or use a .safetensors file."
        )
    try:
        _inspect(content)
        return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except RefusedPickleError as refused:
        if refused.names:
            raise QuantlibError(_refused(name, refused.names)) from None
        raise QuantlibError(
            f"{name} is nested or repeats itself as no checkpoint does; use a .safetensors file or "
            "a checkpoint that holds only weights."
        ) from None
    except pickle.UnpicklingError as error:
        if offenders := _refused_globals(content, error):
            raise QuantlibError(_refused(name, offenders)) from error
        raise QuantlibError(_damaged(name)) from error
    except Exception as error:  # damaged pickles fail in every way that pickle can
        raise QuantlibError(_damaged(name)) from error


def _inspect(content: bytes) -> None:
    """Looks at claims of size, nesting and repetition, before anything is made of them."""
    if content.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MOST_UNPACKED * len(content):
            raise RefusedPickleError
        reader = torch._C.PyTorchFileReader(io.BytesIO(content))
        inspect(io.BytesIO(reader.get_record("data.pkl")))
        return
    file = io.BytesIO(content)
    with suppress(
        ValueError, IndexError, KeyError
    ):  # where PyTorch's reader ends too, and says why
        for _ in range(LEGACY_PICKLES):
            inspect(file)


def _refused(name: str, offenders: list[str]) -> str:
    more = f" and {len(offenders) - 3} more" if len(offenders) > 3 else ""
    return (
        f"{name} was refused because it asks for {', '.join(offenders[:3])}{more} beside tensors; "
        "use a .safetensors file or a checkpoint that holds only weights."
    )


def _damaged(name: str) -> str:
    return f"{name} is not a complete PyTorch checkpoint; download or save it again."


def _refused_globals(content: bytes, error: pickle.UnpicklingError) -> list[str]:
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(content))
    except Exception:  # it reads only the zip format; older files name one global in the message
        names = []
    return sorted(names) or re.findall(r"GLOBAL ([\w.]+)", str(error))[:1]
