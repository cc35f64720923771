"""Classifiers of pictures: a name goes in, a network with its preprocessing comes out."""

from dataclasses import replace
from typing import BinaryIO

from quantlib.models.card import CLASSIFICATION, NetworkCard
from quantlib.models.checking import require_finite
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.files import read_checkpoint_file
from quantlib.models.normalised import Classifier
from quantlib.models.preprocessing import Preprocessing, read_config
from quantlib.models.recognition import explained, recognise
from quantlib.models.sources import Origin, Source, locate

__all__ = ["Classifier", "load_classifier", "read_classifier"]


def load_classifier(name: str, preprocessing: Preprocessing | None = None) -> Classifier:
    """The classifier called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    Architecture, depth, width and classes are read from the weights. Preprocessing is what the
    caller says, else what a `config.json` in timm's form beside the file says, else the usual:
    ImageNet's mean and standard deviation, and 32 or, with a 7×7 stem or 1000 classes, 224 pixels.

    Everything that can go wrong with a name, a download or a checkpoint raises a `QuantlibError`.

    >>> import tempfile, torch
    >>> from pathlib import Path
    >>> from quantlib.models.architectures.cifar_resnet import CifarResNet
    >>> path = Path(tempfile.mkdtemp()) / "resnet20.th"
    >>> torch.save({"state_dict": CifarResNet(blocks=3).state_dict()}, path)
    >>> classifier = load_classifier(str(path))
    >>> classifier.architecture, classifier.classes, classifier.preprocessing.size
    ('ResNet-20', 10, 32)
    """
    found = locate(name, with_config=preprocessing is None)
    classifier = read_classifier(read_checkpoint_file(found.path), found)
    if preprocessing:
        classifier.prepare_by(preprocessing)
    return classifier


def read_classifier(file: bytes | BinaryIO | Checkpoint, name: str | Origin) -> Classifier:
    """The classifier in the bytes of a checkpoint file, or in an open one, that is called `name`.

    The checkpoint may have been read already, and its origin be known. Its preprocessing is what
    its origin states, else the usual for its architecture.
    """
    origin = Origin.of(name)
    classifier = _classifier(Checkpoint.read(file, origin.name), origin)
    if stated := _stated(origin):
        classifier.prepare_by(stated)
    return classifier


def _classifier(checkpoint: Checkpoint, origin: Origin) -> Classifier:
    classifier = recognise(replace(checkpoint, bits=origin.bits), CLASSIFICATION)
    assert isinstance(classifier, Classifier)
    with explained(checkpoint.name, CLASSIFICATION):
        require_finite(classifier, classifier.preprocessing.size, checkpoint.name)
    origin.mark(classifier, checkpoint)
    return classifier


def _stated(origin: Origin) -> Preprocessing | None:
    """What the file `config.json` beside the weights says; a bundled network has NAME.json."""
    if not isinstance(origin, Source):
        return None
    if origin.name.startswith("builtin:"):
        return NetworkCard.read(origin.path.with_suffix(".json")).preprocessing
    return read_config(origin.config) if origin.config else None
