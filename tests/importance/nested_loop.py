"""Algorithm 3 as it is printed: every candidate is a pass through the whole network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from quantlib.importance.example import Example
from quantlib.ptq import SiteNetwork
from quantlib.ptq.sites import Site
from quantlib.quantizers.uniform import fit_uniform


@torch.inference_mode()
def nested_loop(sites: SiteNetwork, examples: Sequence[Example], bits: int) -> dict[str, Tensor]:
    kept: dict[str, int] = {}
    scores: dict[str, Tensor] = {}
    for site in sites.sites:
        found = []
        for channel in range(site.channels):
            skipped = {**kept, site.name: channel}

            def visit(
                at: Site, a: Tensor, layer: nn.Module, skipped: dict[str, int] = skipped
            ) -> Tensor:
                if at.name not in skipped:
                    return a
                made = fit_uniform(a, bits, at.channel_dim)(a)
                made.select(at.channel_dim, skipped[at.name]).copy_(
                    a.select(at.channel_dim, skipped[at.name])
                )
                return made

            qualities = [e.quality(sites.run(e.input, visit)) for e in examples]
            found.append(torch.cat(qualities).mean())
        scores[site.name] = torch.stack(found)
        kept[site.name] = int(scores[site.name].argmax())
    return scores
