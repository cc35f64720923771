"""A network at its task, as the ablation measures it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures, read_camvid
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.datasets.paired_folders import find_pairs
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.importance.example import Example, annotated_pictures, labelled_batches
from quantlib.models import load, load_classifier
from quantlib.models.catalogue import CLASSIFICATION, SEGMENTATION, SUPER_RESOLUTION
from quantlib.models.segmenter import load_segmenter
from quantlib.ptq import QuantizedNetwork, SiteNetwork
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.tasks import classification, segmentation
from quantlib.tasks import super_resolution as pipeline

UNITS = {
    SUPER_RESOLUTION: "dB PSNR (Y)",
    CLASSIFICATION: "% top-1",
    SEGMENTATION: "% mean IoU",
}


@dataclass(frozen=True)
class BenchPlan:
    """One entry of a plan: a network, its task and the pictures it is measured on.

    `model` and `data` are names of networks and folders, relative ones in the data folder; `data`
    is "digits" for scikit-learn's. `low` is the folder of reduced pictures (super-resolution only).
    `pictures` are evaluated, all if 0, and `calibration` others ranked on.
    """

    name: str
    task: str
    model: str
    data: str
    low: str = ""
    pictures: int = 0
    calibration: int = 64

    def __post_init__(self) -> None:
        if self.task not in UNITS:
            raise QuantlibError(
                f"{self.name} has the task {self.task!r}; known are {', '.join(UNITS)}."
            )

    def open(self, folder: Path) -> "Bench":
        """Load the network and the pictures."""
        model = self.model if ":" in self.model else str(folder / self.model)
        opened = {
            SUPER_RESOLUTION: SuperResolutionBench,
            CLASSIFICATION: ClassificationBench,
            SEGMENTATION: SegmentationBench,
        }
        return opened[self.task](self, model, folder)


class Bench(Protocol):
    """What the ablation asks of a network at its task."""

    sites: SiteNetwork
    examples: Sequence[Example]

    def score(self, network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        """Quality, one figure or one per picture, and the bytes of all activations."""
        ...


class SuperResolutionBench:
    """PSNR on Y, picture by picture; channels are ranked on crops of the sample photographs."""

    def __init__(self, plan: BenchPlan, model: str, folder: Path) -> None:
        network = load(model)
        self.scale = network.scale
        self.sites = pipeline.sites_of(network)
        self.examples = pipeline.default_pairs(network)
        pairs = find_pairs(folder / plan.data, folder / plan.low, self.scale)
        self.pairs = pairs[: plan.pictures or None]

    @cached_property
    def _pictures(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [
            (read_picture_file(high).rgb, read_picture_file(low).rgb) for _, high, low in self.pairs
        ]

    def score(self, network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found, sizes = [], dict[str, ByteSizes]()
        for high, low in self._pictures:
            made = pipeline.measure(network, low, self.scale, high)
            assert made.truth is not None
            found.append(psnr_y(made.rgb, made.truth, self.scale))
            add_sizes(sizes, made.ledger.sites)
        return found, Ledger(sizes)


class ClassificationBench:
    """Top-1 accuracy; all pictures share a batch, up to 1,000, and with it DQA's scales."""

    def __init__(self, plan: BenchPlan, model: str, folder: Path) -> None:
        self.sites = classification.sites_of(load_classifier(model))
        self.examples = labelled_batches(self._read(plan, folder, "train")[: plan.calibration])
        self.pictures = self._read(plan, folder, "test")[: plan.pictures or None]

    @staticmethod
    def _read(plan: BenchPlan, folder: Path, split: str) -> LabelledPictures:
        return (
            read_digits(split) if plan.data == "digits" else read_cifar10(folder / plan.data, split)
        )

    def score(self, network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found = classification.evaluate(network, self.pictures)
        return [found.accuracy], found.ledger


class SegmentationBench:
    """Mean IoU over the classes, all pictures together."""

    def __init__(self, plan: BenchPlan, model: str, folder: Path) -> None:
        self.sites = segmentation.sites_of(load_segmenter(model))
        train = read_camvid(folder / plan.data, "train")
        stride = max(len(train) // plan.calibration, 1)
        self.examples = annotated_pictures(_every(train, stride))
        self.pictures = read_camvid(folder / plan.data, "test")
        if plan.pictures:
            self.pictures = _every(self.pictures, -(-len(self.pictures) // plan.pictures))

    def score(self, network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found = segmentation.evaluate(network, self.pictures)
        return [found.mean_iou], found.ledger


def _every(pictures: AnnotatedPictures, stride: int) -> AnnotatedPictures:
    return pictures[slice(None, None, stride)]
