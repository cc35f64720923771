from pathlib import Path

import numpy as np
import pytest
import torch

from quantlib.datasets import LabelledPictures
from quantlib.datasets.reading import read_rows
from quantlib.errors import QuantlibError
from quantlib.importance import Ranking, rank
from quantlib.models import Classifier, load_classifier
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.ptq import Settings, quantize
from quantlib.tasks.classification import classify, evaluate, sites_of


def classifier(classes: int = 10, seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return Classifier(CifarResNet(1, 4, classes), "ResNet-8", classes)


def labelled(count: int = 23, seed: int = 1, side: int = 32) -> LabelledPictures:
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (count, side, side, 3), np.uint8)
    return LabelledPictures(rgb, random.integers(0, 10, count))


def test_accuracy_is_what_numpy_counts() -> None:
    net, pictures = classifier(), labelled()
    x = torch.from_numpy(pictures.rgb / np.float32(255)).movedim(3, 1)
    wanted = net(x).argmax(1).numpy()
    found = classify(net, Settings("fp32"), pictures, batch=10)
    np.testing.assert_array_equal(found.predicted, wanted)
    assert found.accuracy == pytest.approx(100 * np.mean(wanted == pictures.labels))
    for number, name in enumerate(pictures.classes):
        of_class = wanted[pictures.labels == number]
        assert (name in found.per_class) == bool(len(of_class))
        if len(of_class):
            assert found.per_class[name] == pytest.approx(100 * np.mean(of_class == number))


@pytest.mark.parametrize("batch", [1, 7, 23, 50])
def test_the_ledger_is_the_bytes_of_all_batches(batch: int) -> None:
    net, pictures = classifier(), labelled()
    sites = sites_of(net)
    masks = rank(sites, [], "random").masks(0.4)
    network = quantize(sites, Settings("dqa", bits=3), masks)
    found = evaluate(network, pictures, batch)
    encoded = [network.encode(x) for x, _ in pictures.batches(batch)]
    assert list(found.ledger.sites) == [site.name for site in sites.sites]
    for name, size in found.ledger.sites.items():
        assert size.total == sum(len(packed[name].to_bytes()) for packed in encoded)


def test_progress() -> None:
    seen = []
    settings = Settings("direct", bits=3)
    classify(classifier(), settings, labelled(), batch=10, watch=lambda *at: seen.append(at))
    assert seen == [(0, 23), (10, 23), (20, 23), (23, 23)]


@pytest.mark.parametrize("method", ["noisyquant", "direct", "pot", "dqa"])
def test_frozen_scales_do_not_depend_on_the_batch(method: str) -> None:
    settings = Settings(method, bits=3, scales="frozen", criterion="energy")
    net, pictures, calibration = classifier(), labelled(), labelled(12, seed=5)
    found = [classify(net, settings, pictures, calibration, batch) for batch in (1, 23)]
    np.testing.assert_array_equal(found[0].predicted, found[1].predicted)


def test_eight_bits_hardly_change_the_logits() -> None:
    net, pictures = classifier(), labelled()
    network = quantize(sites_of(net), Settings("direct", bits=8))
    ((x, _),) = pictures.batches(100)
    exact = net(x)
    assert (network(x) - exact).abs().max() < 0.1 * exact.std()


def test_sentences() -> None:
    direct, dqa = Settings("direct"), Settings("dqa", criterion="energy")
    for net, settings, pictures, calibration, sentence in [
        (classifier(), direct, labelled(0), None, "no pictures to classify"),
        (classifier(7), direct, labelled(), None, "knows 7 classes and the data set has 10"),
        (classifier(), direct, labelled(side=30), None, "32×32 pixels, not 30×30"),
        (classifier(), dqa, labelled(), None, "DQA needs labelled calibration pictures"),
        (classifier(), dqa, labelled(), labelled(0), "at least one labelled picture"),
    ]:
        with pytest.raises(QuantlibError, match=sentence):
            classify(net, settings, pictures, calibration)
    with pytest.raises(QuantlibError, match="at least one picture, not 0"):
        classify(classifier(), direct, labelled(), batch=0)


def cifar(shared_data: Path, batch: int) -> LabelledPictures:
    folder = shared_data / "cifar10"
    rows = folder / f"cifar10_batch_{batch}.png"
    return read_rows(rows, folder / "cifar10_labels.json", first=1000 * batch)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "wanted"), [("resnet20-12fca82f", 91.5), ("resnet32-d509ac18", 92.8)]
)
def test_published_weights_on_1000_test_pictures(shared_data, file, wanted) -> None:
    net = load_classifier(str(shared_data / "weights" / f"{file}.th"))
    assert classify(net, Settings("fp32"), cifar(shared_data, 50)).accuracy == pytest.approx(wanted)


@pytest.mark.shared
def test_dqa_of_resnet_32_at_three_bits(shared_data: Path) -> None:
    """All 1000 pictures in one batch; energy of the first 1000 training pictures."""
    net = load_classifier(str(shared_data / "weights" / "resnet32-d509ac18.th"))
    pictures, training = cifar(shared_data, 50), cifar(shared_data, 0)

    def accuracy(method: str, ranking: Ranking | None = None, criterion: str = "energy") -> float:
        settings = Settings(method, bits=3, extra_bits=3, important=0.4, criterion=criterion)
        found = classify(net, settings, pictures, training, ranking=ranking, count_bytes=False)
        assert not found.ledger.sites
        return found.accuracy

    assert accuracy("direct") == pytest.approx(66.3, abs=1)
    assert accuracy("dqa", rank(sites_of(net), [], "random")) == pytest.approx(78, abs=1)
    assert accuracy("dqa") == pytest.approx(87.3, abs=1)
