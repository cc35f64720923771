"""Networks that name the class of every pixel: a name goes in, a network comes out."""

from dataclasses import replace
from typing import BinaryIO

from quantlib.models.card import SEGMENTATION
from quantlib.models.checking import require_finite
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.files import read_checkpoint_file
from quantlib.models.normalised import Segmenter
from quantlib.models.recognition import explained, recognise
from quantlib.models.sources import Origin, locate

__all__ = ["Segmenter", "load_segmenter", "read_segmenter"]


def load_segmenter(name: str) -> Segmenter:
    """The segmenter called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    Width and classes are read from the weights; pictures are normalised by ImageNet's mean and
    standard deviation. Everything that can go wrong with a name, a download or a checkpoint raises
    a `QuantlibError`.

    >>> import tempfile, torch
    >>> from quantlib.models.architectures.unet import UNet
    >>> path = f"{tempfile.mkdtemp()}/unet.pt"
    >>> torch.save(UNet(classes=5, features=2).state_dict(), path)
    >>> load_segmenter(path).classes
    5
    """
    found = locate(name)
    return _segmenter(read_checkpoint_file(found.path), found)


def read_segmenter(file: bytes | BinaryIO | Checkpoint, name: str | Origin) -> Segmenter:
    """The segmenter in the bytes of a checkpoint file, or in an open one, that is called `name`.

    The checkpoint may have been read already, and its origin be known.
    """
    origin = Origin.of(name)
    return _segmenter(Checkpoint.read(file, origin.name), origin)


def _segmenter(checkpoint: Checkpoint, origin: Origin) -> Segmenter:
    segmenter = recognise(replace(checkpoint, bits=origin.bits), SEGMENTATION)
    assert isinstance(segmenter, Segmenter)
    with explained(checkpoint.name, SEGMENTATION):
        require_finite(segmenter, segmenter.preprocessing.size, checkpoint.name)
    origin.mark(segmenter, checkpoint)
    return segmenter
