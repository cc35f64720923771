"""Damaged weights files, loaded as a page loads what is dropped on it, and tried on a picture."""

import warnings
from functools import cache
from itertools import product

import numpy as np
import torch

from quantlib.tasks.task import CLASSIFICATION, SEGMENTATION, SUPER_RESOLUTION, TASKS
from tests.fuzz.checkpoints import File, State, files, states
from tests.fuzz.claiming import other_entries, other_header, other_pickle, other_state
from tests.fuzz.mutating import chosen, mutated
from tests.fuzz.running import Engine

TASK_NAMES = (SUPER_RESOLUTION.name, CLASSIFICATION.name, SEGMENTATION.name)
PLACES: list[tuple[str, str]] = [*product(TASK_NAMES, (".safetensors", ".pth", ".onnx"))]
SIDE = 32


def make(random: np.random.Generator) -> bytes:
    """The place in `PLACES` in one byte, and a file with damaged bytes or with false claims."""
    at = int(random.integers(len(_states())))
    state, whole = _states()[at], _files(at)
    file = chosen(whole, random)
    if random.random() < 0.5:
        file = other_state(state, random)
    elif random.random() < 0.4:
        alike = [one.content for one in whole if one.suffix == file.suffix]
        file = file._replace(content=mutated(alike, random))
    elif file.suffix == ".safetensors":
        file = other_header(file, random)
    elif file.content.startswith(b"PK") and random.random() < 0.5:
        file = other_entries(file, random)
    else:
        file = other_pickle(file, random)
    return packed(file)


def handle(data: bytes) -> None:
    """Loads the network and lets it see one picture."""
    task, suffix = PLACES[data[0]]
    code = TASKS[task].code
    network = code.decode(data[1:], f"fuzzed{suffix}")
    code.sites_of(network)
    x = torch.linspace(0, 1, 3 * SIDE * SIDE).view(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        y = network(x)
    sides = {
        SUPER_RESOLUTION.name: lambda: (3, *[SIDE * network.scale] * 2),
        CLASSIFICATION.name: lambda: (network.classes,),
        SEGMENTATION.name: lambda: (network.classes, SIDE, SIDE),
    }
    assert y.shape == (1, *sides[task]()), y.shape
    assert y.isfinite().all()
    assert all(network.notes)


def warm() -> None:
    """What PyTorch, torchvision and spandrel import and compile for the first of each family."""
    warnings.simplefilter("ignore")
    for at in range(len(_states())):
        handle(packed(_files(at)[0]))


@cache
def _states() -> list[State]:
    return states()


@cache
def _files(at: int) -> list[File]:
    return [*files(_states()[at])]


def packed(file: File) -> bytes:
    """The place in `PLACES` in one byte, and the file."""
    return bytes([PLACES.index((file.task, file.suffix))]) + file.content


ENGINE = Engine("mutated weights files", make, handle, warm)
