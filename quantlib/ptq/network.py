"""A quantized network: the sites of a trained one, with a quantizer on each."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.ptq.calibration import Observation
from quantlib.ptq.settings import Settings
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.ptq.standing import not_encoded
from quantlib.quantizers.channels import largest_magnitude
from quantlib.quantizers.quantizer import EncodedTensor, Quantizer
from quantlib.quantizers.sizes import ByteSizes, add_sizes


class QuantizedNetwork(nn.Module):
    """A network whose site inputs are quantized by `settings`.

    The network that it is made of stays as it is.

    `masks` says, per site name, which channels are important, for methods that rank them; `frozen`
    holds the quantizers of calibrated sites. Sites without one get their scales from each input.
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

    @property
    def fits_each_input(self) -> bool:
        """Whether scales come from each input where they could come from calibration."""
        return self.settings.entry.freezes and not self.frozen

    def quantizer(self, site: Site, x: Tensor) -> Quantizer:
        """The quantizer for `x` at `site`: the frozen one, or one fitted to `x`."""
        entry = self.settings.entry
        if entry.stands is not None:
            return entry.stands(self.site_network, site)
        if site.name in self.frozen:
            largest_magnitude(x, None)  # refuses NaN, which frozen scales would not notice
            return self.frozen[site.name]
        if entry.fit is None:
            raise QuantlibError(f"{self.settings.summary} needs calibration pictures.")
        return entry.fit(site, x, self.settings, self.masks.get(site.name))

    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        """The network's output with quantized activations, shape as the network gives it."""
        return self.site_network.run(x, lambda site, a, layer: self.quantizer(site, a)(a))

    @torch.inference_mode()
    def measure(self, x: Tensor) -> tuple[Tensor, dict[str, ByteSizes]]:
        """The output, and the exact bytes of every site's activations, in order of execution."""
        sizes: dict[str, ByteSizes] = {}

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            values, spent = self.quantizer(site, a).measure(a)
            add_sizes(sizes, {site.name: spent})
            return values

        return self.site_network.run(x, visit), sizes

    @torch.inference_mode()
    def encode(self, x: Tensor) -> dict[str, EncodedTensor]:
        """The packed activations of every site, as decoding would start from them."""
        if not self.settings.entry.quantizes:
            raise not_encoded()
        encoded: dict[str, EncodedTensor] = {}

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            quantizer = self.quantizer(site, a)
            encoded.update(quantizer.encode_each(site.name, a))
            return quantizer(a)

        self.site_network.run(x, visit)
        return encoded


def quantize(
    sites: SiteNetwork,
    settings: Settings,
    masks: Mapping[str, Tensor] | None = None,
    calibration: Iterable[Tensor] = (),
) -> QuantizedNetwork:
    """Put the quantizer that `settings` names on every site.

    `masks` gives the important channels of methods that rank them, bool `(C,)` per site name;
    `calibration` the pictures `(1, 3, H, W)` that frozen scales and NoisyQuant's noise come from.
    """
    masks, entry = dict(masks or {}), settings.entry
    if entry.learned and not any(sites.learned_quantizers(s) for s in sites.sites):
        raise QuantlibError(
            f"{entry.title} needs a network with learned quantizers; choose a bundled quantsr "
            "network or adapt this one."
        )
    if entry.ranks and (missing := [s.name for s in sites.sites if s.name not in masks]):
        raise QuantlibError(
            f"{entry.title} needs the important channels of layer {missing[0]}; rank it first."
        )
    frozen: dict[str, Quantizer] = {}
    if settings.needs_calibration:
        assert entry.freeze is not None
        for name, observation in observe(sites, calibration).items():
            frozen[name] = entry.freeze(observation, settings, masks.get(name))
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
