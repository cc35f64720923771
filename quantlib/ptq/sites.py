"""Activation sites: the inputs of a network's convolutions and linear layers."""

import copy
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError

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


@dataclass
class _Pass:
    """One forward pass: what to do at a site, and the inputs already seen in it."""

    visit: Visit
    seen: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


class SiteNetwork(nn.Module):
    """A structural copy of `network`, sharing its weights, whose site inputs can be visited.

    Hooks are installed once; what they do is decided per pass, so one copy serves many threads.
    Sites are found by running `example`; the first and the last layer are left out by default, as
    DQA's paper does. A tensor that feeds several layers is one site.

    >>> net = nn.Sequential(*[nn.Conv2d(3, 3, 3) for _ in range(4)])
    >>> sites = SiteNetwork(net, torch.zeros(1, 3, 16, 16))
    >>> [site.name for site in sites.sites]
    ['1', '2']
    """

    def __init__(
        self, network: nn.Module, example: Tensor, first: bool = False, last: bool = False
    ) -> None:
        super().__init__()
        shared = chain(network.parameters(), network.buffers())
        self.network = copy.deepcopy(network, {id(tensor): tensor for tensor in shared})
        self._pass: ContextVar[_Pass | None] = ContextVar("pass", default=None)
        calls = self._trace(example)
        if not first:
            calls = calls[1:]
        if not last:
            calls = calls[:-1]
        self.sites = _group(calls)
        if not self.sites:
            raise QuantlibError("This network has no layer between its first and its last one.")
        self._install()

    def _trace(self, example: Tensor) -> list[tuple[str, nn.Module, Tensor]]:
        calls: list[tuple[str, nn.Module, Tensor]] = []
        handles = []
        for name, module in self.network.named_modules():
            if isinstance(module, LAYERS):

                def note(layer: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                    calls.append((name, layer, inputs[0]))

                handles.append(module.register_forward_pre_hook(note))
        try:
            with torch.no_grad():
                self.network(example)
        finally:
            for handle in handles:
                handle.remove()
        return calls

    def _install(self) -> None:
        modules = dict(self.network.named_modules())
        for site in self.sites:
            for name in site.layers:

                def intercept(
                    layer: nn.Module, inputs: tuple[Tensor, ...], site: Site = site
                ) -> tuple[Tensor, ...] | None:
                    current = self._pass.get()
                    if current is None:
                        return None
                    x = inputs[0]
                    if id(x) not in current.seen:
                        current.seen[id(x)] = (x, current.visit(site, x, layer))
                    return (current.seen[id(x)][1], *inputs[1:])

                modules[name].register_forward_pre_hook(intercept)

    def run(self, x: Tensor, visit: Visit) -> Tensor:
        """The network's output when every site's input is replaced by what `visit` returns."""
        token = self._pass.set(_Pass(visit))
        try:
            return self.network(x)
        finally:
            self._pass.reset(token)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def __getitem__(self, name: str) -> Site:
        return next(site for site in self.sites if site.name == name)


def _group(calls: list[tuple[str, nn.Module, Tensor]]) -> tuple[Site, ...]:
    """Sites in the order of execution: layers that read the same tensor belong together."""
    readers: dict[int, list[str]] = {}
    inputs: dict[int, tuple[nn.Module, Tensor]] = {}
    named: set[str] = set()
    for name, layer, x in calls:
        if name in named:
            continue
        named.add(name)
        readers.setdefault(id(x), []).append(name)
        inputs.setdefault(id(x), (layer, x))
    sites = []
    for key, names in readers.items():
        layer, x = inputs[key]
        channel_dim = x.dim() - 1 if isinstance(layer, nn.Linear) else 1
        nonnegative = bool((x >= 0).all())
        sites.append(Site(names[0], tuple(names), x.shape[channel_dim], channel_dim, nonnegative))
    return tuple(sites)
