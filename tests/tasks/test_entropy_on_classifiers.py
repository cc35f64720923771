"""Entropy-coded activations of a classifier: within their budget, and what they buy."""

from pathlib import Path

import pytest

from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.errors import QuantlibError
from quantlib.models import load_classifier
from quantlib.ptq import Settings
from quantlib.tasks.classification import classify


@pytest.mark.parametrize("budget", [1.5, 2.0, 4.0])
def test_the_budget_is_kept_and_bytes_are_counted(budget):
    settings = Settings("entropy", bits_per_activation=budget)
    net, test = load_classifier("builtin:resnet-digits"), read_digits()[:200]
    found = classify(net, settings, test, read_digits("train")[:64], batch=100)
    assert 0.9 * budget < found.ledger.bits_per_activation <= budget
    if budget >= 2:
        assert found.accuracy >= 96.5


def test_a_budget_that_cannot_be_met_is_refused():
    settings = Settings("entropy", bits_per_activation=0.01)
    with pytest.raises(QuantlibError, match="too few for this network"):
        classify(
            load_classifier("builtin:resnet-digits"),
            settings,
            read_digits()[:4],
            read_digits("train")[:16],
        )


@pytest.mark.shared
def test_two_bits_are_worth_more_than_packed_ones_and_dqa(shared_data: Path):
    """ResNet-32 on CIFAR-10. All 1,000: entropy 92.8, packed 77.4, DQA 56.9 at 2.9 bits."""
    folder = shared_data / "cifar10"
    net = load_classifier(str(shared_data / "weights" / "resnet32-d509ac18.th"))
    test, training = read_cifar10(folder)[:50], read_cifar10(folder, "train")[:32]

    def accuracy(settings: Settings) -> tuple[float, float]:
        found = classify(net, settings, test, training)
        return found.accuracy, found.ledger.bits_per_activation

    coded, bits = accuracy(Settings("entropy", bits_per_activation=2.0))
    packed, _ = accuracy(Settings("direct", bits=2, clip="mse", unsigned=True))
    dqa, _ = accuracy(Settings("dqa", bits=2, criterion="energy"))
    assert bits <= 2.0
    assert coded >= max(packed, dqa) + 5
