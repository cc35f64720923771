"""Top-1 accuracy of a quantized classifier, and what its activations cost.

DQA's own task (Hu, Henderson, Cano; arXiv 2412.09687): CIFAR-10 with ResNet-32 and MobileNetV2. Its
scales are per channel of the tensor at hand, so the batch is a condition of every figure: with 1000
pictures in a batch they share one scale per channel.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quantlib.datasets import LabelledPictures
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.published import PublishedAccuracy, published_accuracy
from quantlib.importance import Ranking
from quantlib.importance.example import labelled_batches
from quantlib.models import Classifier, load_classifier
from quantlib.models.classifier import read_classifier
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks import task
from quantlib.tasks.bench import Bench, BenchPlan
from quantlib.tasks.cifar10 import cifar10
from quantlib.tasks.recognition import Recognition, run

BATCH = task.CLASSIFICATION.batch
DIGITS, CIFAR10 = task.CLASSIFICATION.named


@dataclass(frozen=True, eq=False)
class Classification:
    """What a network made of labelled pictures: `predicted` and `labels` are `int64 (N,)`.

    `ledger` sums the bytes of the activations over the batches; `seconds` is the time of the
    simulated passes.

    >>> made = Classification(np.array([0, 1, 1]), np.array([0, 1, 0]), ("a", "b"), Ledger({}), 0.0)
    >>> round(made.accuracy, 2), made.per_class
    (66.67, {'a': 50.0, 'b': 100.0})
    """

    predicted: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    ledger: Ledger
    seconds: float

    @property
    def accuracy(self) -> float:
        """Top-1 accuracy in percent."""
        return 100 * float((self.predicted == self.labels).mean())

    @property
    def per_class(self) -> dict[str, float]:
        """Accuracy in percent over the pictures of each class; classes without any are left out."""
        right = self.predicted == self.labels
        return {
            name: 100 * float(right[self.labels == number].mean())
            for number, name in enumerate(self.classes)
            if (self.labels == number).any()
        }

    @property
    def figures(self) -> dict[str, Any]:
        """Accuracy in percent, over all pictures and by class."""
        return {"accuracy": self.accuracy, "per_class": self.per_class}


def evaluate(
    network: QuantizedNetwork,
    pictures: LabelledPictures,
    batch: int = BATCH,
    watch: Callable[[int, int], None] = lambda done, total: None,
    count_bytes: bool = True,
) -> Classification:
    """Classify `pictures` in batches of `batch`, and account for every activation.

    Without `count_bytes` the ledger stays empty, which is several times faster for DQA.

    Raises a `QuantlibError` when there are no pictures, or when their classes or their size are not
    those of the network.
    """
    check(network.site_network.network, pictures)
    if not len(pictures):
        raise QuantlibError("There are no pictures to classify; choose a data set with some.")
    started = time.perf_counter()
    sizes: dict[str, ByteSizes] = {}
    predicted = []
    watch(0, len(pictures))
    for x, _ in pictures.batches(batch):
        logits, spent = run(network, x, count_bytes)
        add_sizes(sizes, spent)
        predicted += logits.argmax(1).tolist()
        watch(len(predicted), len(pictures))
    seconds = time.perf_counter() - started
    labels = pictures.labels.astype(np.int64)
    return Classification(np.array(predicted), labels, pictures.classes, Ledger(sizes), seconds)


def sites_of(classifier: Classifier) -> SiteNetwork:
    """The inputs of all layers of `classifier` but the first and the last, which is linear.

    >>> from quantlib.models.architectures.cifar_resnet import CifarResNet
    >>> sites = sites_of(Classifier(CifarResNet(blocks=1, features=4), "ResNet-8", 10))
    >>> [site.name for site in sites.sites][:2], len(sites.sites)
    (['layer1.0.conv1', 'layer1.0.conv2'], 6)
    """
    side = classifier.preprocessing.size
    example = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return SiteNetwork(classifier, example, inside="network")


def classify(
    classifier: Classifier,
    settings: Settings,
    pictures: LabelledPictures,
    calibration: LabelledPictures | None = None,
    batch: int = BATCH,
    ranking: Ranking | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
    count_bytes: bool = True,
) -> Classification:
    """Quantize `classifier` as `settings` say and evaluate it on `pictures`.

    `calibration`, other pictures of the same classes, is what channels are ranked and scales frozen
    on; a `ranking` that is given is used as it is. Raises a `QuantlibError` where one is needed and
    neither is given.
    """
    how = {"batch": batch, "watch": watch, "count_bytes": count_bytes}
    return CODE.measure(classifier, settings, pictures, calibration, ranking, **how)


def check(classifier: torch.nn.Module, pictures: LabelledPictures) -> None:
    """A `QuantlibError` where `pictures` are not of the classifier's classes and size.

    >>> from quantlib.models.architectures.cifar_resnet import CifarResNet
    >>> pictures = LabelledPictures(np.zeros((1, 8, 8, 3), np.uint8), np.array([0]))
    >>> check(Classifier(CifarResNet(1, 4), "ResNet-8", 10), pictures)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: The network takes pictures of 32×32 pixels, not 8×8; ...
    """
    assert isinstance(classifier, Classifier)
    side = classifier.preprocessing.size
    if len(pictures.classes) != classifier.classes:
        raise QuantlibError(
            f"The network knows {classifier.classes} classes and the data set has "
            f"{len(pictures.classes)}; choose a network that was trained on it."
        )
    if pictures.rgb.shape[1:3] != (side, side):
        height, width = pictures.rgb.shape[1:3]
        raise QuantlibError(
            f"The network takes pictures of {side}×{side} pixels, not {width}×{height}; choose "
            "another data set, or prepare the pictures with its preprocessing."
        )


def read(data: str | Path, split: str, limit: int | None = None) -> LabelledPictures:
    """The first `limit` pictures, or all, of a data set by name or of CIFAR-10 in a folder."""
    if data == CIFAR10:
        return cifar10(split, limit)
    found = read_digits(split) if data == DIGITS else read_cifar10(Path(data), split)
    return found[:limit]


def bench(plan: BenchPlan, model: str, folder: Path) -> Bench:
    """All pictures share a batch, up to 1,000, and with it DQA's scales."""
    data = DIGITS if plan.data == DIGITS else folder / plan.data
    pictures = read(data, "test", plan.pictures or None)

    def score(network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found = evaluate(network, pictures)
        return [found.accuracy], found.ledger

    examples = labelled_batches(read(data, "train", plan.calibration))
    return Bench(sites_of(load_classifier(model)), examples, score)


def published(
    classifier: torch.nn.Module, data: str, settings: Settings
) -> Sequence[PublishedAccuracy]:
    """What others report of the same network on CIFAR-10 at the same bits."""
    assert isinstance(classifier, Classifier)
    if data == DIGITS:
        return ()
    return published_accuracy(classifier.architecture, "CIFAR-10", settings)


CODE = Recognition(
    load=load_classifier,
    decode=read_classifier,
    sites_of=sites_of,
    bench=bench,
    kind="labelled",
    read=read,
    check=check,
    examples_of=labelled_batches,
    evaluate=evaluate,
    published=published,
)
