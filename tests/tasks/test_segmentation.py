"""Mean IoU against scikit-learn's, and a quantized segmenter's ledger."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, jaccard_score

from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.errors import QuantlibError
from quantlib.evaluation.iou import Confusion
from quantlib.imaging.tensors import to_tensor
from quantlib.importance.example import annotated_pictures
from quantlib.importance.preparing import prepare
from quantlib.models.architectures.unet import UNet
from quantlib.models.segmenter import Segmenter
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.tasks.segmentation import evaluate, segment, sites_of

CLASSES = ("a", "b", "c")


def segmenter() -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(UNet(classes=3, features=2), "U-Net", 3)


def pictures(count: int = 3, seed: int = 0) -> AnnotatedPictures:
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (count, 24, 32, 3)).astype(np.uint8)
    return AnnotatedPictures(rgb, random.integers(0, 4, (count, 24, 32)).astype(np.uint8), CLASSES)


@given(
    arrays(np.int64, 40, elements=st.integers(0, 2)),
    arrays(np.int64, 40, elements=st.integers(0, 3)),
)
def test_iou_is_scikit_learns(predicted, labels):
    found = Confusion.of(predicted, labels, CLASSES)
    known = labels < 3
    if not known.any():
        assert np.isnan(found.mean_iou)
        return
    truth, made = labels[known], predicted[known]
    there = sorted(set(truth) | set(made))
    wanted = jaccard_score(truth, made, labels=there, average=None)  # type: ignore[arg-type]
    assert list(found.per_class) == [CLASSES[i] for i in there]
    np.testing.assert_allclose(list(found.per_class.values()), 100 * wanted)
    assert found.pixel_accuracy == pytest.approx(100 * accuracy_score(truth, made))


def test_pictures_are_segmented_one_by_one():
    net, given_pictures = segmenter(), pictures()
    found = evaluate(QuantizedNetwork(sites_of(net), Settings("fp32")), given_pictures)
    for rgb, predicted in zip(given_pictures.rgb, found.predicted, strict=True):
        assert np.array_equal(net(to_tensor(rgb)).argmax(1)[0].numpy(), predicted)
    assert found.mean_iou == Confusion.of(found.predicted, given_pictures.labels, CLASSES).mean_iou


@pytest.mark.parametrize("method", ["direct", "dqa", "noisyquant", "entropy"])
def test_bytes_are_those_of_the_encoded_activations(method):
    net, few = segmenter(), pictures(1)
    settings = Settings(method, bits=3, bits_per_activation=4.0)
    found = segment(net, settings, few, pictures(2, seed=1))
    if method == "entropy":
        assert 0 < found.ledger.bits_per_activation <= 4.0
        return
    network = prepare(sites_of(net), settings, annotated_pictures(pictures(2, seed=1)))
    encoded = network.encode(to_tensor(few.rgb[0]))
    assert found.ledger.total.total == sum(len(one.to_bytes()) for one in encoded.values())


def test_what_does_not_fit_is_refused():
    net = segmenter()
    with pytest.raises(QuantlibError, match="no pictures to segment"):
        segment(net, Settings("fp32"), pictures(0))
    with pytest.raises(QuantlibError, match="knows 3 classes and the data set has 11"):
        few = pictures(1)
        segment(net, Settings("fp32"), AnnotatedPictures(few.rgb, few.labels))
    for method in ("entropy", "dqa", "noisyquant"):
        with pytest.raises(QuantlibError, match="needs annotated calibration pictures"):
            segment(net, Settings(method), pictures(1))
    with pytest.raises(QuantlibError, match="at least one annotated picture"):
        segment(net, Settings("entropy"), pictures(1), pictures(0))
