import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, relu

from quantlib.importance import rank
from quantlib.importance.criteria import ONE_PASS, activations_and_gradients
from quantlib.importance.pairs import Pair
from quantlib.ptq import SiteNetwork
from tests.importance.three_convolutions import ThreeConvolutions, network, pairs


def by_hand(net: ThreeConvolutions, pair: Pair) -> dict[str, tuple[Tensor, Tensor]]:
    """a and g of both inner convolutions with the forward pass written out.

    The input of `first` is split into what it reads and what the skip carries, and only the former
    gets a gradient, since quantization touches nothing else.
    """
    with torch.no_grad():
        shallow = net.head(pair.low)
    read = shallow.clone().requires_grad_()
    hidden = relu(net.first(read))
    output = net.tail(shallow + net.second(hidden))
    slopes = torch.autograd.grad(l1_loss(output, pair.high), [read, hidden])
    return {"first": (read.detach(), slopes[0]), "second": (hidden.detach(), slopes[1])}


def per_channel(x: Tensor) -> np.ndarray:
    return x.double().movedim(1, 0).flatten(1).numpy()


def distortion(a: np.ndarray, bits: int) -> np.ndarray:
    """Σ(a - Q(a))² of the direct quantizer, channel by channel."""
    step = np.abs(a).max(axis=1, keepdims=True) / 2 ** (bits - 1)
    step[step == 0] = 1
    q = np.clip(np.rint(a / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return ((a - q * step) ** 2).sum(axis=1)


FORMULAS = {
    "energy": lambda a, g, n, m: (a**2).sum(axis=1),
    "saliency": lambda a, g, n, m: np.abs(a * g).sum(axis=1),
    "fisher": lambda a, g, n, m: (g**2).sum(axis=1),
    "gain": lambda a, g, n, m: (distortion(a, n) - distortion(a, n + m)) * np.abs(g).sum(axis=1),
}


def test_activations_and_gradients_are_those_of_the_path_through_the_convolution():
    net = network()
    sites = SiteNetwork(net, pairs()[0].low)
    for pair in pairs():
        wanted = by_hand(net, pair)
        found = activations_and_gradients(sites, pair)
        assert [site.name for site, _, _ in found] == ["first", "second"]
        for site, a, g in found:
            torch.testing.assert_close(a, wanted[site.name][0])
            torch.testing.assert_close(g, wanted[site.name][1])
            assert not a.requires_grad and not g.requires_grad
    whole = pairs()[0].low.clone().requires_grad_()
    shallow = net.head(whole)
    shallow.retain_grad()
    through = net.tail(shallow + net.second(relu(net.first(shallow))))
    l1_loss(through, pairs()[0].high).backward()
    first = activations_and_gradients(sites, pairs()[0])[0][2]
    assert shallow.grad is not None
    assert (first - shallow.grad).abs().max() > 1e-4  # the skip's share is left out


@pytest.mark.parametrize("criterion", sorted(FORMULAS))
@pytest.mark.parametrize(("bits", "extra_bits"), [(3, 3), (4, 1)])
def test_scores_are_the_formulas_summed_over_pairs(criterion, bits, extra_bits):
    net = network()
    sites = SiteNetwork(net, pairs()[0].low)
    found = rank(sites, pairs(), criterion, bits, extra_bits).scores
    assert list(found) == ["first", "second"]
    for name, scores in found.items():
        wanted = np.zeros(4)
        for pair in pairs():
            a, g = by_hand(net, pair)[name]
            terms = per_channel(a), per_channel(g)
            wanted += FORMULAS[criterion](*terms, bits, extra_bits)
        np.testing.assert_allclose(scores.numpy(), wanted, rtol=1e-3)


def test_every_criterion_has_its_formula_here():
    assert ONE_PASS.keys() == FORMULAS.keys()


def test_linear_layers_are_scored_along_their_last_axis():
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x.flatten(2).mT))).mT.view_as(x)

    net, pair = Tokens(), pairs(1)[0]
    found = rank(SiteNetwork(net, pair.low), [pair], "energy").scores["b"]
    a = net.a(pair.low.flatten(2).mT).detach()
    torch.testing.assert_close(found, a.square().sum((0, 1)))


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("criterion", ["energy", "fisher", "gain"])
def test_ranking_leaves_the_network_alone(frozen, criterion):
    net = network().requires_grad_(not frozen)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    rank(SiteNetwork(net, pairs()[0].low), pairs(), criterion)
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None
        assert parameter.requires_grad is not frozen


def test_ranking_works_in_inference_mode():
    net = network().requires_grad_(False)
    sites = SiteNetwork(net, pairs()[0].low)
    wanted = rank(sites, pairs(), "fisher").scores["first"]
    with torch.inference_mode():
        found = rank(sites, pairs(), "fisher").scores["first"]
    assert torch.equal(found, wanted)
    assert found.any()


@pytest.mark.parametrize("criterion", sorted(FORMULAS))
def test_progress(criterion):
    seen = []
    sites = SiteNetwork(network(), pairs()[0].low)
    rank(sites, pairs(3), criterion, watch=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
