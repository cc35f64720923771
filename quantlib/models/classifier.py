"""Classifiers of pictures: a name goes in, a network with its preprocessing comes out."""

from pathlib import Path

from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architectures import cifar_resnet, mobilenetv2, resnet
from quantlib.models.checkpoint import read_weights
from quantlib.models.normalised import Normalised
from quantlib.models.preprocessing import Preprocessing, read_config
from quantlib.models.sources import Source, explained, locate

RECOGNISED = (
    "ResNet-20, -32 and so on for CIFAR with option A, MobileNetV2 and ResNet as in torchvision"
)


class Classifier(Normalised):
    """RGB `float32 (N, 3, S, S)` in [0, 1] to logits `(N, classes)`; S is `preprocessing.size`.

    >>> import torch
    >>> classifier = Classifier(cifar_resnet.CifarResNet(blocks=3), "ResNet-20", 10)
    >>> classifier(torch.rand(2, 3, 32, 32)).shape, classifier.parameter_count
    (torch.Size([2, 10]), 269722)
    """


def load_classifier(name: str, preprocessing: Preprocessing | None = None) -> Classifier:
    """The classifier called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    Architecture, depth, width and classes are read from the weights. Preprocessing is what the
    caller says, else what a `config.json` in timm's form beside the file says, else the usual:
    ImageNet's mean and standard deviation, and 32 or, with a 7×7 stem or 1000 classes, 224 pixels.

    Everything that can go wrong with a name, a download or a checkpoint raises a `QuantlibError`.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "resnet20.th"
    >>> torch.save({"state_dict": cifar_resnet.CifarResNet(blocks=3).state_dict()}, path)
    >>> classifier = load_classifier(str(path))
    >>> classifier.architecture, classifier.classes, classifier.preprocessing.size
    ('ResNet-20', 10, 32)
    """
    found = locate(name)
    weights = read_weights(found.path)
    network, architecture, classes, usual = _recognise(weights, found.path.name)
    stated = preprocessing or _stated(found) or usual
    classifier = Classifier(network, architecture, classes, stated)
    found.mark(classifier)
    return classifier


def _recognise(weights: dict[str, Tensor], file: str) -> tuple[nn.Module, str, int, Preprocessing]:
    """Network, architecture, number of classes and usual preprocessing."""
    usual, large = Preprocessing(), Preprocessing(224, crop=0.875)
    with explained(file, RECOGNISED):
        if cifar_resnet.recognises(weights):
            small = cifar_resnet.from_state_dict(weights)
            return small, f"ResNet-{small.depth}", small.classes, usual
        if mobilenetv2.recognises(weights):
            mobile = mobilenetv2.from_state_dict(weights)
            classes = weights["classifier.1.weight"].shape[0]
            imagenet = classes == mobilenetv2.IMAGENET_CLASSES
            return mobile, "MobileNetV2", classes, large if imagenet else usual
        if resnet.recognises(weights):
            deep = resnet.from_state_dict(weights)
            convolutions = [n for n in weights if n.startswith("layer") and ".conv" in n]
            architecture = f"ResNet-{len(convolutions) + 2}"
            stem = weights["conv1.weight"].shape[-1]
            return deep, architecture, deep.fc.out_features, usual if stem == 3 else large
    raise QuantlibError(f"{file} is no classifier that is recognised; recognised are {RECOGNISED}.")


def _stated(found: Source) -> Preprocessing | None:
    """What the file `config.json` beside the weights says; a bundled network has NAME.json."""
    if found.name.startswith("builtin:"):
        return read_config(found.path.with_suffix(".json"))
    if found.commit is None:
        config = found.path.with_name("config.json")
        return read_config(config) if config.is_file() else None
    config = _fetched_config(found)
    return read_config(config) if config else None


def _fetched_config(found: Source) -> Path | None:
    from quantlib.models import hub

    repository = hub.HubReference.parse(found.name).repository
    try:
        return hub.fetch(hub.HubReference(repository, found.commit, "config.json")).path
    except QuantlibError:  # many repositories have none
        return None
