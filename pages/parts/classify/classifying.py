"""Classifications, made once for every data set, network and setting, whoever asks."""

from collections.abc import Sequence

from pages.parts.classify.pictures import LabelledData
from pages.parts.recognition.networks import Recogniser
from pages.parts.shared.caching import shared
from pages.parts.shared.progress import all_results
from pages.parts.shared.quantizing import quantized
from pages.parts.shared.worker import on_worker
from quantlib.datasets import LabelledPictures
from quantlib.ptq import Settings
from quantlib.tasks.classification import BATCH, Classification, check, evaluate

PIXELS = 2_000_000


def batch_of(pictures: LabelledPictures) -> int:
    """Pictures that are classified at once: 1000 of CIFAR-10, fewer of large ones.

    >>> import numpy as np
    >>> batch_of(LabelledPictures(np.zeros((1, 224, 224, 3), np.uint8), np.array([0])))
    39
    """
    height, width = pictures.rgb.shape[1:3]
    return max(1, min(BATCH, PIXELS // (height * width)))


def classified(
    data: LabelledData, network: Recogniser, settings: Sequence[Settings]
) -> dict[Settings, Classification]:
    """The pictures through the network under each of `settings`, with progress.

    QuantlibError where the pictures are not the network's kind.
    """
    check(network.network, data.pictures)

    def classify(one: Settings) -> Classification:
        return _classified(data.key, network.key, one, data, network)

    return all_results(classify, settings, "Classifying")


@shared(megabytes=64)
def _classified(
    data_key: str,
    network_key: tuple[str, str],
    settings: Settings,
    _data: LabelledData,
    _network: Recogniser,
) -> Classification:
    network = quantized(_network.calibrated_on(_data.calibration), settings)
    return on_worker(evaluate, network, _data.pictures, batch_of(_data.pictures))
