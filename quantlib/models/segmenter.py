"""Networks that name the class of every pixel: a name goes in, a network comes out."""

from quantlib.errors import QuantlibError
from quantlib.models.architectures import unet
from quantlib.models.checkpoint import read_weights
from quantlib.models.normalised import Normalised
from quantlib.models.sources import explained, locate

RECOGNISED = "a U-Net as quantlib trains it"


class Segmenter(Normalised):
    """RGB `float32 (N, 3, H, W)` in [0, 1] to logits `(N, classes, H, W)`.

    >>> import torch
    >>> segmenter = Segmenter(unet.UNet(classes=3, features=2), "U-Net", 3)
    >>> segmenter(torch.rand(1, 3, 20, 20)).shape
    torch.Size([1, 3, 20, 20])
    """


def load_segmenter(name: str) -> Segmenter:
    """The segmenter called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    Width and classes are read from the weights; pictures are normalised by ImageNet's mean and
    standard deviation. Everything that can go wrong with a name, a download or a checkpoint raises
    a `QuantlibError`.

    >>> import tempfile, torch
    >>> path = f"{tempfile.mkdtemp()}/unet.pt"
    >>> torch.save(unet.UNet(classes=5, features=2).state_dict(), path)
    >>> load_segmenter(path).classes
    5
    """
    found = locate(name)
    weights = read_weights(found.path)
    with explained(found.path.name, RECOGNISED):
        if unet.recognises(weights):
            network = unet.from_state_dict(weights)
            segmenter = Segmenter(network, "U-Net", network.classes)
            found.mark(segmenter)
            return segmenter
    raise QuantlibError(
        f"{found.path.name} is no segmentation network that is recognised; recognised is "
        f"{RECOGNISED}."
    )
