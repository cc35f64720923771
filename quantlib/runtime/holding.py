"""A network whose activations are encoded bytes between its layers, and floats only inside them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_map

from quantlib.errors import QuantlibError
from quantlib.ptq import QuantizedNetwork, Site
from quantlib.quantizers.quantizer import EncodedTensor
from quantlib.runtime.tracing import Node, module_of, traced


@dataclass(frozen=True, eq=False)
class _Bytes:
    """A value that is held as bytes; every reader decodes it anew."""

    encoded: EncodedTensor
    size: int

    @property
    def value(self) -> Tensor:
        return self.encoded.decode()


class CompressedActivations:
    """`network`, a quantized super-resolution network, with its activations held as bytes.

    What only layers with a quantizer read is encoded when it is made and decoded where it is read;
    the output is that of `network`. With `residuals` so is what sums read too: more is saved, and
    the output changes, since sums then add up rounded values.

    After a run `moved` are the bytes that went between operations: every value is written once and
    read by each that needs it.

    >>> from quantlib.models.architectures.edsr import EDSR
    >>> from quantlib.models.sr_network import SRNetwork
    >>> from quantlib.ptq import Settings, SiteNetwork, quantize
    >>> edsr, x = SRNetwork(EDSR(2, features=4, blocks=1), "EDSR", 2), torch.rand(1, 3, 8, 8)
    >>> network = quantize(SiteNetwork(edsr, x, inside="network"), Settings("direct", bits=4))
    >>> torch.equal(CompressedActivations(network)(x), network(x))
    True
    """

    def __init__(self, network: QuantizedNetwork, residuals: bool = False) -> None:
        if network.settings.entry.learned:
            raise QuantlibError(
                "Networks with learned quantizers hold codes when they run as integers; choose the "
                "runtime integer, or another method."
            )
        whole: Any = network.site_network.network
        graph = traced(whole.network)
        if graph is None:
            raise QuantlibError(
                f"What {whole.architecture} computes depends on the size of its input, so it is "
                "not known what lives how long; choose a convolutional network."
            )
        self.network, self.whole, self.graph = network, whole, graph
        self.held = _held(network, graph, residuals)
        self.moved = 0

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        run, held = _Run(self.graph, self.network, self.held), set(self.held.values())

        def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            return a if site in held else self.network.quantizer(site, a)(a)

        output = self.network.site_network.run(x, visit, self.whole.around(run))
        self.moved = run.moved
        return output


def _held(network: QuantizedNetwork, graph: fx.GraphModule, residuals: bool) -> dict[Node, Site]:
    """The values that are held as bytes, and the sites whose quantizers encode them."""
    if not network.settings.entry.quantizes:
        return {}
    of_layer = {name: site for site in network.site_network.sites for name in site.layers}
    held: dict[Node, Site] = {}
    for node in graph.graph.nodes:
        sites = [of_layer.get(str(user.target)) if module_of(user) else None for user in node.users]
        known = [site for site in sites if site is not None]
        if known and (residuals or len(known) == len(sites)):
            held[node] = known[0]
    return held


class _Run(nn.Module):
    """One pass; values leave when the last that needs them is done."""

    def __init__(
        self, graph: fx.GraphModule, network: QuantizedNetwork, held: dict[Node, Site]
    ) -> None:
        super().__init__()
        self.graph, self.network_of_sites, self.held = graph, network, held
        self.moved = 0

    def forward(self, x: Tensor) -> Tensor:
        return _Interpreter(self).run(x)


class _Interpreter(fx.Interpreter):
    def __init__(self, run: _Run) -> None:
        super().__init__(run.graph)
        self.pass_ = run

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        site = self.pass_.held.get(n)
        if site is not None:
            encoded = self.pass_.network_of_sites.quantizer(site, value).encode(value)
            value = _Bytes(encoded, encoded.sizes.total)
        self.pass_.moved += _size(value) * (1 + len(n.users))
        return value

    def fetch_args_kwargs_from_env(self, n: fx.Node) -> tuple[tuple, dict]:
        return tree_map(
            lambda value: value.value if isinstance(value, _Bytes) else value,
            super().fetch_args_kwargs_from_env(n),
        )


def _size(value: object) -> int:
    if isinstance(value, _Bytes):
        return value.size
    return value.nbytes if isinstance(value, Tensor) else 0
