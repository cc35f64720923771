"""The criteria on a classifier, with cross-entropy and accuracy on labelled pictures."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from quantlib.datasets import LabelledPictures
from quantlib.errors import QuantlibError
from quantlib.importance import Ranking, rank
from quantlib.importance.example import LabelledBatch, labelled_batches
from quantlib.ptq import SiteNetwork
from tests.importance.test_criteria import FORMULAS, per_channel
from tests.importance.test_greedy import direct_except


class Small(nn.Module):
    """Two convolutions, the mean over positions and a linear layer; 4 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(relu(self.b(relu(self.a(x)))).mean((2, 3)))


def small() -> tuple[Small, SiteNetwork]:
    torch.manual_seed(0)
    net = Small().eval()
    return net, SiteNetwork(net, torch.rand(1, 3, 8, 8))


def data(count: int = 9) -> LabelledPictures:
    random = np.random.default_rng(2)
    rgb = random.integers(0, 256, (count, 8, 8, 3), np.uint8)
    return LabelledPictures(rgb, random.integers(0, 4, count), ("a", "b", "c", "d"))


def by_hand(net: Small, batch: LabelledBatch) -> tuple[Tensor, Tensor]:
    """The input of `b` and the gradient of Σ(log Σ exp z - z of the class)."""
    a = relu(net.a(batch.input)).detach().requires_grad_()
    z = net.c(relu(net.b(a)).mean((2, 3)))
    loss = (z.exp().sum(1).log() - z[torch.arange(len(z)), batch.labels]).sum()
    return a.detach(), torch.autograd.grad(loss, a)[0]


@pytest.mark.parametrize("criterion", sorted(FORMULAS))
def test_scores_are_the_formulas_with_cross_entropy(criterion: str) -> None:
    net, sites = small()
    batches = labelled_batches(data(), 4)
    wanted = np.zeros(4)
    for batch in batches:
        wanted += FORMULAS[criterion](*map(per_channel, by_hand(net, batch)), 3, 3)
    found = rank(sites, batches, criterion).scores
    assert list(found) == ["b"]
    np.testing.assert_allclose(found["b"].numpy(), wanted, rtol=1e-3)


@pytest.mark.parametrize("criterion", ["energy", "saliency", "fisher"])
def test_scores_do_not_depend_on_the_batches(criterion: str) -> None:
    _, sites = small()
    found = [rank(sites, labelled_batches(data(), n), criterion).scores["b"] for n in (1, 4, 9)]
    for scores in found[1:]:
        torch.testing.assert_close(scores, found[0], rtol=1e-4, atol=1e-6)


def test_greedy_maximises_accuracy_over_all_pictures() -> None:
    net, sites = small()
    pictures = data(21)
    wanted = []
    for channel in range(4):
        right = 0
        for x, labels in pictures.batches(6):
            with torch.no_grad():
                a = torch.from_numpy(direct_except(relu(net.a(x)).numpy(), 2, channel))
                z = net.c(relu(net.b(a)).mean((2, 3)))
            right += int((z.numpy().argmax(1) == labels.numpy()).sum())
        wanted.append(right / 21)
    found = rank(sites, labelled_batches(pictures, 6), "greedy", bits=2).scores["b"]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)


def test_the_inverse_ranks_the_other_way_round() -> None:
    ranking = Ranking("energy", {"a": torch.tensor([1.0, 3.0, 2.0])}, 0.5)
    inverse = ranking.inverse()
    assert inverse.order("a").tolist() == ranking.order("a").tolist()[::-1] == [0, 2, 1]
    assert (inverse.criterion, inverse.seconds) == ("inverse energy", 0.5)
    assert torch.equal(inverse.inverse().scores["a"], ranking.scores["a"])


def test_calibration_without_pictures() -> None:
    with pytest.raises(QuantlibError, match="at least one labelled picture"):
        labelled_batches(data(0))
