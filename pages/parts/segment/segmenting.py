"""Segmentations, made once for every picture, network and setting, whoever asks."""

from collections.abc import Sequence

import numpy as np

from pages.parts.recognition.networks import Calibration, Recogniser
from pages.parts.segment.scene import Scene
from pages.parts.shared.caching import shared
from pages.parts.shared.progress import all_results
from pages.parts.shared.quantizing import quantized
from pages.parts.shared.worker import on_worker
from quantlib.datasets.annotated import CAMVID_CLASSES, AnnotatedPictures
from quantlib.imaging.samples import CALIBRATION_KEYS, load_sample
from quantlib.importance.example import annotated_pictures
from quantlib.ptq import Settings
from quantlib.tasks.segmentation import Segmentation, evaluate, labelled_by

CALIBRATION_SIDE = 96


def classes_of(network: Recogniser) -> tuple[str, ...]:
    """Names of the network's classes: its card's, CamVid's if they are as many, or numbers."""
    count = network.network.classes
    for names in (network.classes, CAMVID_CLASSES):
        if len(names) == count:
            return names
    return tuple(f"class {number}" for number in range(count))


def calibration_keys(scene: Scene) -> tuple[str, ...]:
    """The sample photographs that channels are ranked on: never the one that is looked at."""
    return tuple(key for key in CALIBRATION_KEYS if key != scene.source)


def agreed(scene: Scene, network: Recogniser) -> AnnotatedPictures:
    """The picture with FP32's own classes as labels."""
    return _agreed(scene.key, network.key, scene, network)


@shared(megabytes=64)
def _agreed(
    scene_key: str, network_key: tuple[str, str], _scene: Scene, _network: Recogniser
) -> AnnotatedPictures:
    return on_worker(labelled_by, _network.network, _scene.rgb[None], classes_of(_network))


def segmented(
    scene: Scene, network: Recogniser, settings: Sequence[Settings]
) -> dict[Settings, Segmentation]:
    """The picture through the network under each of `settings`, with progress.

    The confusion of each is against FP32's own classes.
    """
    pictures = agreed(scene, network)

    def segment(one: Settings) -> Segmentation:
        return _segmented(scene.key, network.key, one, scene, network, pictures)

    return all_results(segment, settings, "Segmenting")


@shared(megabytes=128)
def _segmented(
    scene_key: str,
    network_key: tuple[str, str],
    settings: Settings,
    _scene: Scene,
    _network: Recogniser,
    _pictures: AnnotatedPictures,
) -> Segmentation:
    calibration = _calibration(network_key, calibration_keys(_scene), _network)
    network = quantized(_network.calibrated_on(calibration), settings)
    return on_worker(evaluate, network, _pictures)


@shared(megabytes=32)
def _calibration(
    network_key: tuple[str, str], keys: tuple[str, ...], _network: Recogniser
) -> Calibration:
    crops = np.stack([load_sample(key, CALIBRATION_SIDE).rgb for key in keys])
    pictures = on_worker(labelled_by, _network.network, crops, classes_of(_network))
    return Calibration(" ".join(keys), annotated_pictures(pictures))
