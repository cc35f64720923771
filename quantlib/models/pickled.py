"""Pickles of PyTorch, read by its weights-only reader."""

import io
import os
import pickle
import re

import torch

from quantlib.errors import QuantlibError


def read_pickle(content: bytes, name: str) -> object:
    """What a pickle of PyTorch holds: tensors and plain containers, nothing else is read."""
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise QuantlibError(
            f"{name} is a pickle, and TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD turns PyTorch's "
            "protection off; unset that variable or use a .safetensors file."
        )
    try:
        return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if offenders := _refused_globals(content, error):
            raise QuantlibError(
                f"{name} was refused because it asks for {', '.join(offenders)} beside "
                "tensors; use a .safetensors file or a checkpoint that holds only weights."
            ) from error
        raise QuantlibError(_damaged(name)) from error
    except Exception as error:  # damaged pickles fail in every way that pickle can
        raise QuantlibError(_damaged(name)) from error


def _damaged(name: str) -> str:
    return f"{name} is not a complete PyTorch checkpoint; download or save it again."


def _refused_globals(content: bytes, error: pickle.UnpicklingError) -> list[str]:
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(content))
    except Exception:  # it reads only the zip format; older files name one global in the message
        names = []
    return sorted(names) or re.findall(r"GLOBAL ([\w.]+)", str(error))[:1]
