"""The shelf of networks: one file and one entry for each family.

What only some need, torchvision and spandrel, is imported when a network of theirs is made.
"""

from quantlib.models.architecture import Architecture
from quantlib.models.architectures import (
    cifar_resnet,
    edsr,
    from_onnx,
    from_spandrel,
    mobilenetv2,
    pan,
    quantsr,
    resnet,
    swin2sr,
    swinir,
    unet,
)

_SHELF: list[Architecture] = [
    from_onnx.ARCHITECTURE,
    quantsr.ARCHITECTURE,
    edsr.ARCHITECTURE,
    pan.ARCHITECTURE,
    swinir.ARCHITECTURE,
    swin2sr.ARCHITECTURE,
    from_spandrel.ARCHITECTURE,
    cifar_resnet.ARCHITECTURE,
    mobilenetv2.ARCHITECTURE,
    resnet.ARCHITECTURE,
    unet.ARCHITECTURE,
]
"""The most specific first: whoever shares names with another stands before it."""


def register(architecture: Architecture) -> None:
    """Puts a family on the shelf, before all others."""
    _SHELF.insert(0, architecture)


def architectures(task: str) -> list[Architecture]:
    """The families for a task, the most specific first.

    >>> [one.name for one in architectures("classification")]
    ['ResNet', 'MobileNetV2', 'ResNet of torchvision']
    """
    return [one for one in _SHELF if one.task == task]


def recognised(task: str) -> str:
    """What loads for a task, in words.

    >>> recognised("segmentation")
    'a U-Net as quantlib trains it'
    """
    *others, last = [one.recognised or one.name for one in architectures(task)]
    return f"{', '.join(others)} and {last}" if others else last


def trained(task: str) -> dict[str, Architecture]:
    """The families that recipes train, by what recipes call them.

    >>> list(trained("super-resolution"))
    ['edsr', 'swinir']
    """
    return {one.training.key: one for one in architectures(task) if one.training}
