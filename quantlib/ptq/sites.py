"""Activation sites: the inputs of a network's convolutions and linear layers."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.stopping import go_on

LAYERS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


@dataclass(frozen=True)
class Site:
    """One activation tensor that feeds at least one layer.

    `name` is that of the first layer it feeds, `layers` are all of them; `nonnegative` says that no
    value was below zero when the network was traced (after a ReLU, for example).
    """

    name: str
    layers: tuple[str, ...]
    channels: int
    channel_dim: int
    nonnegative: bool


Visit = Callable[[Site, Tensor, nn.Module], Tensor]


@dataclass(frozen=True)
class _Call:
    """A layer's input as the trace met it; a change in place makes it another `version`."""

    name: str
    layer: nn.Module
    x: Tensor
    version: int
    nonnegative: bool


@dataclass
class _Pass:
    """One forward pass: what to do at a site, and what it did where more layers are to follow."""

    visit: Visit
    shared: dict[int, tuple[Tensor, Tensor, int]] = field(default_factory=dict)

    def __call__(self, site: Site, x: Tensor, layer: nn.Module) -> Tensor:
        key, readers = id(x), len(site.layers)
        if readers == 1:
            return self.visit(site, x, layer)
        if key not in self.shared:
            self.shared[key] = (x, self.visit(site, x, layer), readers)
        _, visited, left = self.shared.pop(key)
        if left > 1:
            self.shared[key] = (x, visited, left - 1)
        return visited


class SiteNetwork(nn.Module):
    """A structural copy of `network`, sharing its weights, whose site inputs can be visited.

    Hooks are installed once; what they do is decided per pass, so one copy serves many threads.
    Sites are found by running `example`; the first and the last layer are left out by default, as
    DQA's paper does. A tensor that feeds several layers is one site. Names are those of the layers
    inside the submodule `inside`, or of the whole network.

    >>> net = nn.Sequential(*[nn.Conv2d(3, 3, 3) for _ in range(4)])
    >>> sites = SiteNetwork(net, torch.zeros(1, 3, 16, 16))
    >>> [site.name for site in sites.sites], sites.left_out
    (['1', '2'], ('0', '3'))
    """

    def __init__(
        self,
        network: nn.Module,
        example: Tensor,
        first: bool = False,
        last: bool = False,
        inside: str = "",
    ) -> None:
        super().__init__()
        self.network = structural_copy(network)
        self._pass: ContextVar[_Pass | None] = ContextVar("pass", default=None)
        named = self.network.get_submodule(inside).named_modules()
        self._layers = {name: m for name, m in named if isinstance(m, LAYERS)}
        calls = self._trace(example)
        if not first:
            calls = calls[1:]
        if not last:
            calls = calls[:-1]
        self.sites = _group(calls)
        if not self.sites:
            raise QuantlibError("This network has no layer between its first and its last one.")
        self._install()

    def _trace(self, example: Tensor) -> list[_Call]:
        calls: list[_Call] = []
        handles = []
        for name, module in self._layers.items():

            def note(layer: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                x = inputs[0]
                calls.append(_Call(name, layer, x, x._version, bool((x >= 0).all())))

            handles.append(module.register_forward_pre_hook(note))
        try:
            with torch.inference_mode(False), torch.no_grad():
                self.network(example.clone())
        finally:
            for handle in handles:
                handle.remove()
        return calls

    def _install(self) -> None:
        for site in self.sites:
            for name in site.layers:

                def intercept(
                    layer: nn.Module, inputs: tuple[Tensor, ...], site: Site = site
                ) -> tuple[Tensor, ...] | None:
                    current = self._pass.get()
                    if current is None:
                        return None
                    go_on()
                    return (current(site, inputs[0], layer), *inputs[1:])

                self._layers[name].register_forward_pre_hook(intercept)

    def run(self, x: Tensor, visit: Visit, twin: nn.Module | None = None) -> Tensor:
        """The network's output when every site's input is replaced by what `visit` returns.

        `twin` is a copy of `network` that runs in its place.
        """
        token = self._pass.set(_Pass(visit))
        try:
            return (twin or self.network)(x)
        finally:
            self._pass.reset(token)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def layers(self, site: Site) -> dict[str, nn.Module]:
        """The layers that read the site, by name."""
        return {name: self._layers[name] for name in site.layers}

    def learned_quantizers(self, site: Site) -> dict[str, LearnedQuantizer]:
        """The quantizers that the site's layers bring along, by the layer's name."""
        found = {n: getattr(layer, "activation", None) for n, layer in self.layers(site).items()}
        return {name: q for name, q in found.items() if isinstance(q, LearnedQuantizer)}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The layers whose inputs stay as they are, in the network's order."""
        read = {name for site in self.sites for name in site.layers}
        return tuple(name for name in self._layers if name not in read)

    def __getitem__(self, name: str) -> Site:
        return next(site for site in self.sites if site.name == name)


def _group(calls: list[_Call]) -> tuple[Site, ...]:
    """Sites in the order of execution: layers that read the same tensor belong together."""
    readers: dict[tuple[int, int], list[_Call]] = {}
    named: set[str] = set()
    for call in calls:
        if call.name not in named:
            named.add(call.name)
            readers.setdefault((id(call.x), call.version), []).append(call)
    sites = []
    for first, *others in readers.values():
        names = (first.name, *(call.name for call in others))
        channel_dim = first.x.dim() - 1 if isinstance(first.layer, nn.Linear) else 1
        channels = first.x.shape[channel_dim]
        sites.append(Site(first.name, names, channels, channel_dim, first.nonnegative))
    return tuple(sites)
