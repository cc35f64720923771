"""Reading the weights of a checkpoint file without running anything that is inside it."""

import hashlib
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from quantlib.errors import QuantlibError

PICKLES = (".pt", ".pth", ".bin", ".th", ".ckpt")
SUFFIXES = (".safetensors", *PICKLES)

DEEPEST = 8
"""Wrappers inside wrappers; a pickle may also contain itself."""

_WRAPPERS = ("params_ema", "params", "state_dict", "model")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Names and tensors of a file that ends in one of `SUFFIXES`, on the CPU.

    Takes the weights out of the usual wrappers (`params_ema`, `params`, `state_dict`, `model`) and
    the prefix `module.` off the names. Pickles are read by PyTorch's weights-only reader, which
    refuses everything but tensors and plain containers. A file that is missing, damaged, refused,
    without tensors or with values that are not finite raises a `QuantlibError`.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tiny.pth"
    >>> torch.save({"state_dict": {"module.scale": torch.tensor([2.0])}, "epoch": 3}, path)
    >>> read_weights(path)
    {'scale': tensor([2.])}
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise QuantlibError(
            f"{path.name} is not a checkpoint; its name must end in {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise QuantlibError(f"There is no file {path}; check the path.")
    if _is_lfs_pointer(path):
        raise QuantlibError(
            f"{path.name} is a Git LFS pointer, not the weights; fetch them with `git lfs pull`."
        )
    content = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _unpickle(path)
    weights = _unwrap(content)
    if not weights:
        raise QuantlibError(f"{path.name} holds no weights; choose the checkpoint of a network.")
    for name, value in weights.items():
        if value.is_floating_point() and not value.float().isfinite().all():
            raise QuantlibError(
                f"{path.name} holds values in {name} that are not finite numbers; "
                "choose another checkpoint."
            )
    return weights


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file; nothing for other files."""
    if Path(path).suffix.lower() != ".safetensors":
        return {}
    with safe_open(path, "pt") as file:
        return file.metadata() or {}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def missing_names(error: Exception) -> list[str]:
    """The parameters that `Module.load_state_dict` reports as missing in its error.

    >>> try:
    ...     _ = torch.nn.Linear(1, 1).load_state_dict({"bias": torch.zeros(1)})
    ... except RuntimeError as error:
    ...     missing_names(error)
    ['weight']
    """
    lines = [line for line in str(error).splitlines() if "Missing key(s)" in line]
    return re.findall(r'"([^"]+)"', " ".join(lines))


def _is_lfs_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(40).startswith(b"version https://git-lfs")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise QuantlibError(
            f"{path.name} is not a complete safetensors file; download or export it again."
        ) from error


def _unpickle(path: Path) -> object:
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise QuantlibError(
            f"{path.name} is a pickle, and TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD turns PyTorch's "
            "protection off; unset that variable or use a .safetensors file."
        )
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if offenders := _refused_globals(path, error):
            raise QuantlibError(
                f"{path.name} was refused because it asks for {', '.join(offenders)} beside "
                "tensors; use a .safetensors file or a checkpoint that holds only weights."
            ) from error
        raise QuantlibError(_damaged(path)) from error
    except Exception as error:  # damaged pickles fail in every way that pickle can
        raise QuantlibError(_damaged(path)) from error


def _damaged(path: Path) -> str:
    return f"{path.name} is not a complete PyTorch checkpoint; download or save it again."


def _refused_globals(path: Path, error: pickle.UnpicklingError) -> list[str]:
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # it reads only the zip format; older files name one global in the message
        names = []
    return sorted(names) or re.findall(r"GLOBAL ([\w.]+)", str(error))[:1]


def _unwrap(content: object) -> dict[str, Tensor]:
    for _ in range(DEEPEST):
        if not isinstance(content, Mapping):
            break
        wrapper = next((w for w in _WRAPPERS if isinstance(content.get(w), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    if not isinstance(content, Mapping):
        return {}
    return {
        str(name).removeprefix("module."): value.detach()
        for name, value in content.items()
        if isinstance(value, Tensor)
    }
