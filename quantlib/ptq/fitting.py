"""How each method gets its scales: from the input at hand (dynamic), or from calibration (frozen).

`settings` are a person's, `mask` marks the important channels of the site, bool `(C,)`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from quantlib.ptq.calibration import Observation
from quantlib.ptq.sites import Site
from quantlib.quantizers.dqa import dqa_from_magnitude, fit_dqa
from quantlib.quantizers.dqa_ans import with_coded_codes
from quantlib.quantizers.noisyquant import fit_noisyquant
from quantlib.quantizers.pot import fit_power_of_two
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.uniform import fit_uniform

if TYPE_CHECKING:
    from quantlib.ptq.settings import Settings

Fit = Callable[[Site, Tensor, "Settings", Tensor | None], Quantizer]
Freeze = Callable[[Observation, "Settings", Tensor | None], Quantizer]


def uniform(site: Site, x: Tensor, settings: "Settings", mask: Tensor | None) -> Quantizer:
    signed = not (settings.unsigned and site.nonnegative)
    return fit_uniform(x, settings.bits, site.channel_dim, signed, settings.clip)


def frozen_uniform(
    observation: Observation, settings: "Settings", mask: Tensor | None
) -> Quantizer:
    seen = largest(observation) if settings.clip == "max" else observation.sample()
    return frozen_by(uniform, observation, seen, settings)


def power_of_two(site: Site, x: Tensor, settings: "Settings", mask: Tensor | None) -> Quantizer:
    return fit_power_of_two(x, settings.bits, site.channel_dim)


def frozen_power_of_two(
    observation: Observation, settings: "Settings", mask: Tensor | None
) -> Quantizer:
    return frozen_by(power_of_two, observation, largest(observation), settings)


def frozen_noisyquant(
    observation: Observation, settings: "Settings", mask: Tensor | None
) -> Quantizer:
    rows, weight = torch.cat(observation.rows), observation.weight
    assert weight is not None
    return fit_noisyquant(rows, weight, settings.bits, observation.site.channel_dim)


def dqa(site: Site, x: Tensor, settings: "Settings", mask: Tensor | None) -> Quantizer:
    assert mask is not None
    return fit_dqa(x, settings.bits, settings.extra_bits, mask, site.channel_dim)


def frozen_dqa(observation: Observation, settings: "Settings", mask: Tensor | None) -> Quantizer:
    magnitude, channel_dim = observation.magnitude, observation.site.channel_dim
    assert magnitude is not None and mask is not None
    return dqa_from_magnitude(magnitude, settings.bits, settings.extra_bits, mask, channel_dim)


def coded_dqa(site: Site, x: Tensor, settings: "Settings", mask: Tensor | None) -> Quantizer:
    return with_coded_codes(dqa(site, x, settings, mask))  # type: ignore[arg-type]


def frozen_coded_dqa(
    observation: Observation, settings: "Settings", mask: Tensor | None
) -> Quantizer:
    return with_coded_codes(frozen_dqa(observation, settings, mask))  # type: ignore[arg-type]


def frozen_by(fit: Fit, observation: Observation, seen: Tensor, settings: "Settings") -> Quantizer:
    """`fit` on values `(C, L)` that calibration has seen, for tensors as they come at the site."""
    site = observation.site
    fitted = fit(replace(site, channel_dim=0), seen, settings, None)
    return replace(fitted, channel_dim=site.channel_dim)  # type: ignore[type-var]


def largest(observation: Observation) -> Tensor:
    """The largest magnitude of every channel, `(C, 1)`."""
    assert observation.magnitude is not None
    return observation.magnitude[:, None]
