"""Allocation: sensitivities against exact derivatives, budgets kept, the best steps found."""

import math

import pytest
import torch
from torch import nn

from quantlib.errors import QuantlibError
from quantlib.importance import allocation
from quantlib.importance.allocation import (
    allocate,
    run,
    sensitivities,
    within,
    within_error,
)
from quantlib.importance.sampled import SampledActivations
from quantlib.models import load
from quantlib.ptq import SiteNetwork
from quantlib.quantizers.entropy import EntropyQuantizer
from quantlib.tasks.super_resolution import default_pairs, sites_of


def small(gain: float = 1.0) -> SiteNetwork:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(6, 5, 3, padding=1), nn.Conv2d(5, 3, 3, padding=1)]
    with torch.no_grad():
        layers[2].weight *= gain  # type: ignore[operator]
        layers[4].weight /= gain  # type: ignore[operator]
    return SiteNetwork(nn.Sequential(*layers), PICTURES[0])


torch.manual_seed(5)
PICTURES = [torch.rand(1, 3, 12, 12), torch.rand(1, 3, 10, 14)]


def test_sensitivities_against_the_whole_jacobian():
    sites, picture = small(), PICTURES[0][..., :6, :6]
    found = sensitivities(sites, [picture], probes=400)
    for site in sites.sites:
        met = {}
        sites.run(picture, lambda s, a, layer, met=met: met.setdefault(s.name, a))

        def rest(a: torch.Tensor, name: str = site.name) -> torch.Tensor:
            return sites.run(picture, lambda s, x, layer: a if s.name == name else x)

        jacobian = torch.autograd.functional.jacobian(rest, met[site.name].detach())
        exact = jacobian.square().flatten(0, 3).sum(0)[0].flatten(1).mean(1)
        torch.testing.assert_close(found[site.name], exact, rtol=0.2, atol=0.02 * exact.max())


def test_the_same_numbers_give_the_same_sensitivities():
    one, other = (sensitivities(small(), PICTURES) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("bits", [0.8, 2.0, 4.0])
def test_budgets_are_kept_and_used(bits):
    sites = small()
    outcome = within(sites, allocate(sites, PICTURES, bits), PICTURES, bits)
    assert 0.97 * bits <= outcome.bits <= bits


def test_bits_go_where_the_output_is_sensitive():
    """Steps of a layer whose values are scaled up, and taken down behind it, scale with them."""
    plain = allocate(small(), PICTURES, 2.0)
    louder = allocate(small(gain=8.0), PICTURES, 2.0)
    ratio = {name: float((louder[name].steps / plain[name].steps).mean()) for name in plain}
    assert ratio["4"] / ratio["2"] == pytest.approx(8.0, rel=0.2)


def test_better_than_steps_that_fit_the_values():
    """On a trained network, for a picture that was not allocated on."""
    network = load("builtin:edsr-x2")
    sites, pairs = sites_of(network), default_pairs(network)
    seen, other = pairs[0].low[..., :24, :24], pairs[1].low[..., :32, :32]
    met: dict[str, torch.Tensor] = {}
    sites.run(seen, lambda site, a, layer: met.setdefault(site.name, a))
    by_spread = {name: EntropyQuantizer(a.std()) for name, a in met.items()}
    found = allocate(sites, [seen], 2.0)
    one, two = (within(sites, q, [other], 2.0).psnr([sites(other)]) for q in (found, by_spread))
    assert one > two + 1


def test_an_error_that_is_held():
    sites = small()
    targets = [sites(picture).detach() for picture in PICTURES]
    outcome = within_error(sites, allocate(sites, PICTURES, 2.0), PICTURES, 45.0)
    assert 45.0 <= outcome.psnr(targets) <= 45.2
    coarser = run(sites, outcome.quantizers, PICTURES, factor=1.2)
    assert coarser.psnr(targets) < 45.0 and coarser.bits < outcome.bits


def test_a_sample_tells_what_all_would_spend():
    sites = small()
    quantizers = allocate(sites, PICTURES, 2.0)
    seen = SampledActivations(sites, PICTURES)
    assert seen.bits(quantizers) == pytest.approx(run(sites, quantizers, PICTURES).bits, rel=0.1)
    met = seen.within(quantizers, 1.2)
    assert run(sites, met, PICTURES).bits == pytest.approx(1.2, rel=0.1)
    with pytest.raises(QuantlibError, match=r"0\.001 bits per activation are too few"):
        seen.within(quantizers, 0.001)


def test_psnr_by_hand():
    outcome = run(small(), {n: EntropyQuantizer(torch.tensor(1e-3)) for n in "24"}, PICTURES[:1])
    target = outcome.outputs[0] + 0.1
    assert outcome.psnr([target]) == pytest.approx(20.0, abs=1e-3)
    assert math.isclose(outcome.psnr(outcome.outputs), 200.0)


def test_what_cannot_be_had():
    sites = small()
    quantizers = allocate(sites, PICTURES, 2.0)
    with pytest.raises(QuantlibError, match=r"0\.05 bits per activation are too few"):
        within(sites, quantizers, PICTURES, 0.05)
    with pytest.raises(QuantlibError, match="dB cannot be held"):
        within_error(sites, quantizers, PICTURES, 190.0)
    with pytest.raises(QuantlibError, match="at least one picture"):
        sensitivities(sites, [])


class Explosive(nn.Module):
    """Adds the square of what sets a value off from its neighbours, which coarse steps blow up."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(4, 4, 1, bias=False)
        self.mix.weight.data.copy_(torch.eye(4)[..., None, None])
        self.edges = nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate", groups=4, bias=False)
        kernel = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
        self.edges.weight.data.copy_(kernel.expand(4, 1, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.mix(x)
        return x + self.edges(x).square()


def explosive() -> tuple[SiteNetwork, list[torch.Tensor]]:
    """A network that a smooth picture passes through nearly unchanged."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 1), *(Explosive() for _ in range(5)), nn.Conv2d(4, 3, 1)]
    wave = 2 * torch.linspace(0, math.pi, 32).cos()
    picture = torch.stack([wave.expand(32, 32), wave[:, None].expand(32, 32), wave.outer(wave)])[
        None
    ]
    return SiteNetwork(nn.Sequential(*layers), picture), [picture]


def test_steps_that_lead_the_network_astray_are_too_coarse_whatever_they_spend(monkeypatch):
    sites, pictures = explosive()
    targets = [sites(picture).detach() for picture in pictures]
    quantizers = {site.name: EntropyQuantizer(torch.tensor(0.5)) for site in sites.sites}
    plain = [run(sites, quantizers, pictures, 2 ** (octave / 4)) for octave in range(-24, 20)]
    finest = min(i for i, outcome in enumerate(plain) if outcome.bits <= 7.5)
    assert max(outcome.bits for outcome in plain[finest:]) > 12 > 1 > plain[-1].bits
    runs = []
    monkeypatch.setattr(allocation, "run", lambda *args: runs.append(args) or run(*args))
    found = within(sites, quantizers, pictures, 7.5)
    assert found.bits <= 7.5
    assert found.psnr(targets) > max(o.psnr(targets) for o in plain if o.bits <= 7.5) - 0.1
    assert len(runs) < 8
