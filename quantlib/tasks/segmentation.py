"""Mean IoU of a quantized segmenter, and what its activations cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quantlib.datasets.annotated import AnnotatedPictures, read_camvid
from quantlib.errors import QuantlibError
from quantlib.evaluation.iou import Confusion
from quantlib.evaluation.ledger import Ledger
from quantlib.imaging.tensors import to_tensor
from quantlib.importance import Ranking
from quantlib.importance.example import annotated_pictures
from quantlib.models.segmenter import Segmenter, load_segmenter, read_segmenter
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks.bench import Bench, BenchPlan
from quantlib.tasks.recognition import Recognition, run

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

    @property
    def figures(self) -> dict[str, Any]:
        """IoU in percent, over the classes and of each, and how many pixels are right."""
        return {
            "mean_iou": self.mean_iou,
            "pixel_accuracy": self.confusion.pixel_accuracy,
            "per_class": self.confusion.per_class,
        }


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
    check(network.site_network.network, pictures)
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
    how = {"watch": watch, "count_bytes": count_bytes}
    return CODE.measure(segmenter, settings, pictures, calibration, ranking, **how)


def check(segmenter: torch.nn.Module, pictures: AnnotatedPictures) -> None:
    """A `QuantlibError` where `pictures` are not of the segmenter's classes."""
    assert isinstance(segmenter, Segmenter)
    if len(pictures.classes) != segmenter.classes:
        raise QuantlibError(
            f"The network knows {segmenter.classes} classes and the data set has "
            f"{len(pictures.classes)}; choose a network that was trained on it."
        )


def read(folder: str | Path, split: str, limit: int | None = None) -> AnnotatedPictures:
    """The first `limit` pictures, or all, of a folder that is laid out as CamVid's."""
    return read_camvid(Path(folder), split)[:limit]


def bench(plan: BenchPlan, model: str, folder: Path) -> Bench:
    """All pictures together; where not all are wanted, they are spread over the film."""
    train, test = (read_camvid(folder / plan.data, split) for split in ("train", "test"))
    stride = -(-len(test) // plan.pictures) if plan.pictures else 1
    pictures = test[slice(None, None, stride)]
    seen = train[slice(None, None, max(len(train) // plan.calibration, 1))]

    def score(network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found = evaluate(network, pictures)
        return [found.mean_iou], found.ledger

    return Bench(sites_of(load_segmenter(model)), annotated_pictures(seen), score)


CODE = Recognition(
    load=load_segmenter,
    decode=read_segmenter,
    sites_of=sites_of,
    bench=bench,
    kind="annotated",
    read=read,
    check=check,
    examples_of=annotated_pictures,
    evaluate=evaluate,
)
