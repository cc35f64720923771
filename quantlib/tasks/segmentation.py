"""Mean IoU of a quantized segmenter, and what its activations cost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.errors import QuantlibError
from quantlib.evaluation.iou import Confusion
from quantlib.evaluation.ledger import Ledger
from quantlib.imaging.tensors import to_tensor
from quantlib.importance import Ranking
from quantlib.importance.example import Example, annotated_pictures
from quantlib.importance.preparing import prepare
from quantlib.models.segmenter import Segmenter
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks.recognition import examples_for, run

EXAMPLE_SIDE = 64


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a network made of annotated pictures: `predicted` is `uint8 (N, H, W)`.

    `ledger` sums the bytes of the activations over the pictures; `seconds` is the time of the
    simulated passes.
    """

    predicted: np.ndarray
    confusion: Confusion
    ledger: Ledger
    seconds: float

    @property
    def mean_iou(self) -> float:
        """Mean intersection over union of the classes in percent, over all pictures together."""
        return self.confusion.mean_iou


def evaluate(
    network: QuantizedNetwork,
    pictures: AnnotatedPictures,
    watch: Callable[[int, int], None] = lambda done, total: None,
    count_bytes: bool = True,
) -> Segmentation:
    """Segment `pictures`, one at a time, and account for every activation.

    Without `count_bytes` the ledger stays empty, which is several times faster for DQA. Raises a
    `QuantlibError` when there are no pictures or their classes are not those of the network.
    """
    _check(network.site_network.network, pictures)
    if not len(pictures):
        raise QuantlibError("There are no pictures to segment; choose a data set with some.")
    started = time.perf_counter()
    sizes: dict[str, ByteSizes] = {}
    predicted = []
    watch(0, len(pictures))
    for rgb in pictures.rgb:
        logits, spent = run(network, to_tensor(rgb), count_bytes)
        add_sizes(sizes, spent)
        predicted.append(logits.argmax(1)[0].numpy().astype(np.uint8))
        watch(len(predicted), len(pictures))
    seconds = time.perf_counter() - started
    stacked = np.stack(predicted)
    confusion = Confusion.of(stacked, pictures.labels, pictures.classes)
    return Segmentation(stacked, confusion, Ledger(sizes), seconds)


def sites_of(segmenter: Segmenter) -> SiteNetwork:
    """The inputs of all layers of `segmenter` but the first and the last.

    >>> from quantlib.models.architectures.unet import UNet
    >>> sites = sites_of(Segmenter(UNet(classes=3, features=2), "U-Net", 3))
    >>> sites.sites[0].name, sites.sites[-1].name, len(sites.sites)
    ('down.0.3', 'up.3.3', 21)
    """
    random = torch.Generator().manual_seed(0)
    example = torch.rand(1, 3, EXAMPLE_SIDE, EXAMPLE_SIDE, generator=random)
    return SiteNetwork(segmenter, example, inside="network")


def labelled_by(
    segmenter: Segmenter, rgb: np.ndarray, classes: tuple[str, ...]
) -> AnnotatedPictures:
    """Pictures `uint8 (N, H, W, 3)` with what the segmenter itself calls every pixel as labels.

    Against them a quantized form of it shows how far it agrees, where no annotation is at hand.

    >>> from quantlib.models.architectures.unet import UNet
    >>> segmenter = Segmenter(UNet(classes=2, features=2), "U-Net", 2)
    >>> labelled_by(segmenter, np.zeros((1, 16, 24, 3), np.uint8), ("a", "b")).labels.shape
    (1, 16, 24)
    """
    with torch.inference_mode():
        found = [segmenter(to_tensor(one)).argmax(1)[0].numpy().astype(np.uint8) for one in rgb]
    return AnnotatedPictures(rgb, np.stack(found), classes)


def segment(
    segmenter: Segmenter,
    settings: Settings,
    pictures: AnnotatedPictures,
    calibration: AnnotatedPictures | None = None,
    ranking: Ranking | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
    count_bytes: bool = True,
) -> Segmentation:
    """Quantize `segmenter` as `settings` say and evaluate it on `pictures`.

    `calibration`, other pictures of the same classes, is what channels are ranked and scales frozen
    on; a `ranking` that is given is used as it is. Raises a `QuantlibError` where one is needed and
    neither is given.
    """
    _check(segmenter, pictures)
    sites = sites_of(segmenter)

    def fitting(given: AnnotatedPictures) -> Sequence[Example]:
        _check(segmenter, given)
        return annotated_pictures(given)

    examples = examples_for(settings, ranking, calibration, fitting, "annotated")
    return evaluate(prepare(sites, settings, examples, ranking), pictures, watch, count_bytes)


def _check(segmenter: torch.nn.Module, pictures: AnnotatedPictures) -> None:
    assert isinstance(segmenter, Segmenter)
    if len(pictures.classes) != segmenter.classes:
        raise QuantlibError(
            f"The network knows {segmenter.classes} classes and the data set has "
            f"{len(pictures.classes)}; choose a network that was trained on it."
        )
