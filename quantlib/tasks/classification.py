"""Top-1 accuracy of a quantized classifier, and what its activations cost.

DQA's own task (Hu, Henderson, Cano; arXiv 2412.09687): CIFAR-10 with ResNet-32 and MobileNetV2. Its
scales are per channel of the tensor at hand, so the batch is a condition of every figure: with 1000
pictures in a batch they share one scale per channel.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from quantlib.datasets import LabelledPictures
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.importance import Ranking
from quantlib.importance.example import Example, labelled_batches
from quantlib.importance.preparing import prepare
from quantlib.models import Classifier
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks.recognition import examples_for, run

BATCH = 1000


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
    check(classifier, pictures)
    sites = sites_of(classifier)

    def fitting(given: LabelledPictures) -> Sequence[Example]:
        check(classifier, given)
        return labelled_batches(given)

    examples = examples_for(settings, ranking, calibration, fitting, "labelled")
    network = prepare(sites, settings, examples, ranking)
    return evaluate(network, pictures, batch, watch, count_bytes)


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
