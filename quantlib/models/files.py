"""Checkpoints that lie under a path, which only the command line and code of one's own name."""

from pathlib import Path

from torch import Tensor

from quantlib.files import opened_file
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.suffixes import require_suffix


def read_checkpoint_file(path: str | Path) -> Checkpoint:
    """The checkpoint at `path`, as `Checkpoint.read` reads it.

    Raises a `QuantlibError` for what is not there or may not be read, too.
    """
    path = Path(path)
    require_suffix(path.name)
    with opened_file(path, "checkpoint file") as file:
        return Checkpoint.read(file, path.name)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Names and tensors of the checkpoint at `path`.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "tiny.pth"
    >>> torch.save({"state_dict": {"module.scale": torch.tensor([2.0])}, "epoch": 3}, path)
    >>> read_weights(path)
    {'scale': tensor([2.])}
    """
    return dict(read_checkpoint_file(path).weights)
