"""A quantized network: the sites of a trained one, with a quantizer on each."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.ptq.calibration import Observation
from quantlib.ptq.settings import Settings
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.channels import largest_magnitude
from quantlib.quantizers.dqa import DQAQuantizer, dqa_from_magnitude, fit_dqa
from quantlib.quantizers.dqa_ans import with_coded_codes
from quantlib.quantizers.noisyquant import fit_noisyquant
from quantlib.quantizers.pot import fit_power_of_two
from quantlib.quantizers.quantizer import EncodedTensor, Quantizer
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.quantizers.uniform import fit_uniform


class QuantizedNetwork(nn.Module):
    """A network whose site inputs are quantized by `settings`.

    The network that it is made of stays as it is.

    `masks` says, per site name, which channels are important (DQA only); `frozen` holds the
    quantizers of calibrated sites. Sites without one get their scales from each input.
    """

    def __init__(
        self,
        sites: SiteNetwork,
        settings: Settings,
        masks: Mapping[str, Tensor] | None = None,
        frozen: Mapping[str, Quantizer] | None = None,
    ) -> None:
        super().__init__()
        self.site_network, self.settings = sites, settings
        self.masks, self.frozen = dict(masks or {}), dict(frozen or {})

    def quantizer(self, site: Site, x: Tensor) -> Quantizer:
        """The quantizer for `x` at `site`: the frozen one, or one fitted to `x`."""
        if site.name not in self.frozen:
            return fit(site, x, self.settings, self.masks)
        largest_magnitude(x, None)  # refuses NaN, which frozen scales would not notice
        return self.frozen[site.name]

    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        """The network's output with quantized activations, shape as the network gives it."""
        if self.settings.method in ("fp32", "rlq"):
            return self.site_network(x)
        return self.site_network.run(x, lambda site, a, layer: self.quantizer(site, a)(a))

    @torch.inference_mode()
    def measure(self, x: Tensor) -> tuple[Tensor, dict[str, ByteSizes]]:
        """The output, and the exact bytes of every site's activations, in order of execution."""
        sizes: dict[str, ByteSizes] = {}

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            if self.settings.method == "fp32":
                values, spent = a, unquantized_sizes(a)
            elif self.settings.method == "rlq":
                values, spent = a, self._learned_sizes(site, a)
            else:
                values, spent = self.quantizer(site, a).measure(a)
            add_sizes(sizes, {site.name: spent})
            return values

        return self.site_network.run(x, visit), sizes

    def _learned_sizes(self, site: Site, a: Tensor) -> ByteSizes:
        """Bytes of the codes that the site's layers make of `a`; FP32 where none is learned."""
        learned = self.site_network.learned_quantizers(site).values()
        if not learned:
            return unquantized_sizes(a)
        spent = sum((quantizer.sizes(a) for quantizer in learned), ByteSizes())
        return replace(spent, fp32=4 * a.numel())

    @torch.inference_mode()
    def encode(self, x: Tensor) -> dict[str, EncodedTensor]:
        """The packed activations of every site, as decoding would start from them."""
        if self.settings.method == "fp32":
            raise QuantlibError("FP32 activations are not encoded; choose a quantization method.")
        encoded: dict[str, EncodedTensor] = {}

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            if self.settings.method == "rlq":
                for name, quantizer in self.site_network.learned_quantizers(site).items():
                    encoded[name] = quantizer.encode(a)
                return a
            encoded[site.name] = self.quantizer(site, a).encode(a)
            return encoded[site.name].decode()

        self.site_network.run(x, visit)
        return encoded


def unquantized_sizes(a: Tensor) -> ByteSizes:
    """What an activation costs in FP32."""
    return ByteSizes(fp32=4 * a.numel(), codes=4 * a.numel())


def quantize(
    sites: SiteNetwork,
    settings: Settings,
    masks: Mapping[str, Tensor] | None = None,
    calibration: Iterable[Tensor] = (),
) -> QuantizedNetwork:
    """Put the quantizer that `settings` names on every site.

    `masks` gives DQA's important channels, bool `(C,)` per site name; `calibration` the pictures
    `(1, 3, H, W)` that frozen scales and NoisyQuant's noise are taken from.
    """
    masks = dict(masks or {})
    if settings.method == "rlq" and not any(sites.learned_quantizers(s) for s in sites.sites):
        raise QuantlibError(
            "RLQ needs a network with learned quantizers; choose a bundled quantsr network or "
            "adapt this one."
        )
    if settings.is_dqa and (missing := [s.name for s in sites.sites if s.name not in masks]):
        raise QuantlibError(
            f"DQA needs the important channels of layer {missing[0]}; rank it first."
        )
    frozen: dict[str, Quantizer] = {}
    if settings.needs_calibration:
        frozen = {
            name: freeze(observation, settings, masks)
            for name, observation in observe(sites, calibration).items()
        }
    return QuantizedNetwork(sites, settings, masks, frozen)


@torch.inference_mode()
def observe(sites: SiteNetwork, pictures: Iterable[Tensor]) -> dict[str, Observation]:
    """Statistics of every site over the full-precision runs on `pictures`."""
    observations = {site.name: Observation(site) for site in sites.sites}

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        observations[site.name].add(a, layer)
        return a

    seen = False
    for picture in pictures:
        sites.run(picture, visit)
        seen = True
    if not seen:
        raise QuantlibError("Calibration needs at least one picture.")
    return observations


def fit(site: Site, x: Tensor, settings: Settings, masks: Mapping[str, Tensor]) -> Quantizer:
    """The quantizer with scales from `x` itself (dynamic)."""
    if settings.method == "direct":
        signed = not (settings.unsigned and site.nonnegative)
        return fit_uniform(x, settings.bits, site.channel_dim, signed, settings.clip)
    if settings.method == "pot":
        return fit_power_of_two(x, settings.bits, site.channel_dim)
    if settings.is_dqa:
        mask = masks[site.name]
        fitted = fit_dqa(x, settings.bits, settings.extra_bits, mask, site.channel_dim)
        return _stored(fitted, settings)
    raise QuantlibError(f"{settings.summary} needs calibration pictures.")


def freeze(observation: Observation, settings: Settings, masks: Mapping[str, Tensor]) -> Quantizer:
    """The quantizer with scales from calibration (frozen)."""
    site, magnitude = observation.site, observation.magnitude
    assert magnitude is not None and observation.weight is not None
    if settings.method == "noisyquant":
        rows = torch.cat(observation.rows)
        return fit_noisyquant(rows, observation.weight, settings.bits, site.channel_dim)
    if settings.is_dqa:
        mask = masks[site.name]
        fitted = dqa_from_magnitude(
            magnitude, settings.bits, settings.extra_bits, mask, site.channel_dim
        )
        return _stored(fitted, settings)
    sample = observation.sample()
    if settings.method == "pot" or settings.clip == "max":
        sample = magnitude[:, None]
    fitted = fit(replace(site, channel_dim=0), sample, settings, masks)
    return replace(fitted, channel_dim=site.channel_dim)  # type: ignore[type-var]


def _stored(quantizer: DQAQuantizer, settings: Settings) -> DQAQuantizer:
    return with_coded_codes(quantizer) if settings.method == "dqa-ans" else quantizer
