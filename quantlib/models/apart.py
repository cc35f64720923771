"""Checkpoints of strangers, read in a process of its own that hands back plain tensors."""

from pathlib import Path

from safetensors.torch import load, save

from quantlib.apart.message import Message, Say
from quantlib.apart.running import Limits, Watch, run_apart, unwatched
from quantlib.models.checkpoint import GRAPH, Checkpoint
from quantlib.models.files import read_checkpoint_file
from quantlib.models.graphs.reading import read_graph

LIMITS = Limits(seconds=120, megabytes=2000, answer=1_000_000_000)
ADVICE = "choose a smaller network"


def read_checkpoint_apart(content: bytes, name: str, watch: Watch = unwatched) -> Checkpoint:
    """The checkpoint in the bytes of a file called `name`, as `Checkpoint.read` reads it.

    A graph of operators was taken apart once, within the same bounds.
    """
    return _read(Message({"name": name}, (content,)), name, watch)


def read_checkpoint_file_apart(path: Path, watch: Watch = unwatched) -> Checkpoint:
    """The same of the file at `path`."""
    return _read(Message({"path": str(path)}), path.name, watch)


def _read(request: Message, name: str, watch: Watch) -> Checkpoint:
    values, (tensors,) = run_apart(checkpoint, request, LIMITS, name, ADVICE, watch)
    held = load(bytes(tensors))
    return Checkpoint(
        name,
        {str(one): held[str(at)] for at, one in enumerate(values["names"])},
        {str(key): str(value) for key, value in values["metadata"].items()},
        str(values["sha256"]),
        tuple(map(str, values["notes"])),
    )


def checkpoint(request: Message, say: Say) -> Message:
    """What is done apart: names may be anything, so tensors go by their numbers."""
    if "path" in request.values:
        found = read_checkpoint_file(request.values["path"])
    else:
        found = Checkpoint.read(bytes(request.buffers[0]), request.values["name"])
    if GRAPH in found.weights:
        read_graph(found.weights[GRAPH].numpy().tobytes(), found.name)
    weights = {str(at): one.contiguous().clone() for at, one in enumerate(found.weights.values())}
    values = {
        "names": list(found.weights),
        "metadata": dict(found.metadata),
        "sha256": found.sha256,
        "notes": found.notes,
    }
    return Message(values, (save(weights),))
