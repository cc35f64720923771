"""How many bytes each activation gets: steps for the entropy-coded quantizer, by what they buy."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.importance.sampled import (
    PER_BIT,
    SPARE,
    Quantizers,
    SampledActivations,
    largest_of,
    scaled,
    too_few,
)
from quantlib.importance.searching import fewest_octaves
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.channels import by_channel
from quantlib.quantizers.entropy import EntropyQuantizer

PROBES = 2
CANDIDATES = ((False, 0.5), (False, 0.4), (True, 0.5), (True, 0.4))
# a step per channel or one for the layer, and the rounding
QUIET = 1e-3  # of the layer's mean sensitivity: channels below count as if they had as much
SPARE_DB, PER_DB = 0.05, 20 * math.log10(2)  # what may be left over, and what an octave brings
ASTRAY = 16.0  # times their full-precision size: such activations are another network's

Watch = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Pictures through a network whose activations are coded with `quantizers`.

    `outputs` are what the network gives; `bits` is the average per activation, estimated from the
    frequencies of the codes; `factor` is what their steps were multiplied with.
    """

    quantizers: dict[str, EntropyQuantizer]
    factor: float
    outputs: list[Tensor]
    bits: float

    def psnr(self, targets: Sequence[Tensor]) -> float:
        """Of all colours in dB, for a peak of 1."""
        pairs = zip(self.outputs, targets, strict=True)
        errors = [float((output - target).square().mean()) for output, target in pairs]
        return -10 * math.log10(max(sum(errors) / len(errors), 1e-20))


def sensitivities(
    sites: SiteNetwork, pictures: Sequence[Tensor], probes: int = PROBES, seed: int = 0
) -> dict[str, Tensor]:
    """How much the squared output error grows with that of each channel, `(C,)` by site.

    With J the derivative of the output by an activation, E[(Jᵀv)²] over random v = ±1 is the
    diagonal of JᵀJ (Hutchinson's estimator): one pass forward and `probes` backward per picture,
    no labels. `pictures` are inputs of the network, `(1, 3, H, W)`.
    """
    random = torch.Generator().manual_seed(seed)
    found = {site.name: torch.zeros(site.channels) for site in sites.sites}
    for picture in pictures:
        met: list[tuple[Site, Tensor]] = []

        def note(
            site: Site, a: Tensor, layer: nn.Module, met: list[tuple[Site, Tensor]] = met
        ) -> Tensor:
            met.append((site, a.clone()))
            return met[-1][1]

        with torch.inference_mode(False), torch.enable_grad():
            output = sites.run(picture.clone().requires_grad_(), note)
            for _ in range(probes):
                signs = torch.randint(0, 2, output.shape, generator=random) * 2.0 - 1
                gradients = torch.autograd.grad(
                    output, [a for _, a in met], signs, retain_graph=True, materialize_grads=True
                )
                for (site, _), gradient in zip(met, gradients, strict=True):
                    found[site.name] += by_channel(gradient, site.channel_dim).square().mean(1)
    if not pictures:
        raise QuantlibError("Allocation needs at least one picture.")
    return {name: total / (probes * len(pictures)) for name, total in found.items()}


def allocate(
    sites: SiteNetwork,
    pictures: Sequence[Tensor],
    bits: float,
    watch: Watch = lambda done, total: None,
) -> dict[str, EntropyQuantizer]:
    """Quantizers by site that spend `bits` per activation on `pictures` where they buy most.

    At the least error for the bytes, one more bit anywhere lessens the error equally. The error of
    a channel with sensitivity s (`sensitivities`) and step Δ is s·Δ²/12 and a bit halves Δ, so that
    Δ = λ/√s with one λ for the whole network, which the budget decides. Errors of successive layers
    are not independent: whether channels of a layer differ in Δ, and how wide the zone of zero is,
    is decided by the true output error at equal bytes. Source: rate-distortion optimal bit
    allocation (Shoham and Gersho, IEEE Trans. ASSP 1988).
    """
    by_channels = sensitivities(sites, pictures)
    seen = SampledActivations(sites, pictures)
    found: list[Outcome] = []
    for done, (fine, rounding) in enumerate(CANDIDATES):
        watch(done, len(CANDIDATES))
        start = found[-1].factor if found else 1.0
        candidate = {
            site.name: _quantizer(site, by_channels[site.name], fine, rounding, start)
            for site in sites.sites
        }
        outcome = _within(sites, candidate, pictures, bits, seen)
        found.append(replace(outcome, factor=start * outcome.factor))
    watch(len(CANDIDATES), len(CANDIDATES))
    return max(found, key=lambda outcome: outcome.psnr(seen.outputs)).quantizers


def within(
    sites: SiteNetwork, quantizers: Quantizers, pictures: Sequence[Tensor], bits: float
) -> Outcome:
    """All steps times the smallest factor that keeps `pictures` within `bits` per activation.

    A QuantlibError where not even coarser steps would do.
    """
    return _within(sites, quantizers, pictures, bits, SampledActivations(sites, pictures))


def _within(
    sites: SiteNetwork,
    quantizers: Quantizers,
    pictures: Sequence[Tensor],
    bits: float,
    seen: SampledActivations,
) -> Outcome:
    """Steps that lead the network astray spend much although they are too coarse, not too fine.

    The search begins anew then, where full-precision activations would spend `bits`.
    """

    def search(start: float, limits: Mapping[str, float]) -> Outcome:
        return fewest_octaves(
            lambda octaves: run(sites, quantizers, pictures, start * 2**octaves, limits),
            lambda outcome: bits - outcome.bits,
            SPARE * bits,
            PER_BIT,
        )

    try:
        outcome = search(1.0, {name: ASTRAY * size for name, size in seen.largest.items()})
    except _AstrayError:
        outcome = search(seen.factor_within(quantizers, bits), {})
    if outcome.bits > bits:
        raise too_few(bits, outcome.bits)
    return outcome


def within_error(
    sites: SiteNetwork, quantizers: Quantizers, pictures: Sequence[Tensor], psnr: float
) -> Outcome:
    """All steps times the largest factor that keeps the output within `psnr` dB of FP32's.

    PSNR is that of all colours for a peak of 1, against the network's own output.
    """
    with torch.inference_mode():
        targets = [sites(picture) for picture in pictures]
    outcome = fewest_octaves(
        lambda octaves: run(sites, quantizers, pictures, 2**-octaves),
        lambda outcome: outcome.psnr(targets) - psnr,
        SPARE_DB,
        PER_DB,
    )
    if (found := outcome.psnr(targets)) < psnr:
        raise QuantlibError(
            f"{psnr:g} dB cannot be held: the smallest steps give {found:.1f}; ask for less."
        )
    return outcome


@torch.inference_mode()
def run(
    sites: SiteNetwork,
    quantizers: Quantizers,
    pictures: Iterable[Tensor],
    factor: float = 1.0,
    limits: Mapping[str, float] = MappingProxyType({}),
) -> Outcome:
    """`pictures` through the network with all activations coded, all steps times `factor`.

    Activations beyond the `limits` of their site end it: the network has been led astray.
    """
    tried = scaled(quantizers, factor)
    spent = activations = 0.0

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        nonlocal spent, activations
        if site.name in limits and not largest_of(a) <= limits[site.name]:
            raise _AstrayError
        values, bits = tried[site.name].estimate(a)
        spent, activations = spent + bits, activations + a.numel()
        return values

    outputs = [sites.run(picture, visit) for picture in pictures]
    return Outcome(tried, factor, outputs, spent / max(activations, 1))


class _AstrayError(Exception):
    """Coarse steps made activations grow far beyond what they are in full precision."""


def _quantizer(
    site: Site, by_channel: Tensor, fine: bool, rounding: float, factor: float
) -> EntropyQuantizer:
    mean = by_channel.mean().clamp_min(1e-20)
    per_step = by_channel.clamp_min(QUIET * mean) if fine else mean
    return EntropyQuantizer(factor * per_step.rsqrt(), rounding, site.channel_dim)
