"""Passes of a network that begin where an earlier one was broken off."""

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from quantlib.ptq.sites import Site, SiteNetwork, Visit
from quantlib.qat.layers.copying import structural_copy

Key = tuple[Any, ...]  # of a call: that of the call around it, the module, how often before


class _ReachedError(Exception):
    """The pass has come to the site at which it was to stop."""


@dataclass
class _Frame:
    """A call under way, with how often it has called each module."""

    key: Key
    calls: Counter[int] = field(default_factory=Counter)


@dataclass
class _Resumed:
    """A pass under way: calls with a known result are not made, those that end are `learned`."""

    known: dict[Key, Any]
    copies: int
    learned: dict[Key, Any] | None
    frames: list[_Frame] = field(default_factory=lambda: [_Frame(())])

    def call(
        self, module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        around = self.frames[-1]
        key = (around.key, id(module), around.calls[id(module)])
        around.calls[id(module)] += 1
        if key in self.known:
            return tree_map(self._copied, self.known[key])
        self.frames.append(_Frame(key))
        result = forward(*args, **kwargs)
        self.frames.pop()
        if self.learned is not None:
            inside = [other for other in self.learned if other[0] == key]
            for other in inside:
                del self.learned[other]
            self.learned[key] = tree_map(_cloned, result)
        return result

    def _copied(self, result: Any) -> Any:
        """A fresh one, because the network may write on it."""
        if not isinstance(result, Tensor):
            return result
        return torch.cat([result] * self.copies)


_resumed: ContextVar[_Resumed | None] = ContextVar("resumed", default=None)


class ResumablePass:
    """One input on its way through a network, halted before a site; it only goes forward.

    The results of all modules that have ended are kept, so that going on, or trying something from
    here on, costs what is left of the network. `visit` says what passed sites see, at any time the
    same; `a` is what comes to the present one. Modules have to hand on what they do as their
    result, as those of torchvision do.

    >>> net = nn.Sequential(*[nn.Conv2d(3, 3, 3) for _ in range(4)]).eval()
    >>> sites = SiteNetwork(net, torch.zeros(1, 3, 16, 16))
    >>> x = torch.rand(1, 3, 16, 16)
    >>> halted = ResumablePass(sites, x, lambda site, a, layer: a)
    >>> halted.go_to(sites["2"])
    >>> output = halted.finish(torch.cat([halted.a, 0 * halted.a]))
    >>> torch.allclose(output[:1], sites(x), atol=1e-6), output.shape[0]
    (True, 2)
    """

    a: Tensor

    def __init__(self, sites: SiteNetwork, x: Tensor, visit: Visit) -> None:
        self.sites, self.x, self.visit = sites, x, visit
        self.at = -1
        self._known: dict[Key, Any] = {}
        self._network = _resumable(sites.network)

    def go_to(self, site: Site) -> None:
        """On to `site`, which comes after the present one."""
        goal, learned = self._number(site), dict(self._known)

        def halting(at: Site, a: Tensor, layer: nn.Module) -> Tensor:
            if at is site:
                self.a = a.clone()
                raise _ReachedError
            return self._seen(at, a, layer)

        try:
            self._run(_Resumed(self._known, 1, learned), self.x, halting)
        except _ReachedError:
            self.at, self._known = goal, learned

    @property
    def takes_batches(self) -> bool:
        """Whether all results kept have a row per picture, so that several can be tried at once."""
        rows = self.x.shape[0]
        leaves = [leaf for result in self._known.values() for leaf in tree_leaves(result)]
        return all(isinstance(leaf, Tensor) and leaf.shape[:1] == (rows,) for leaf in leaves)

    def finish(self, tried: Tensor) -> Tensor:
        """The network's output when the present site sees `tried` `(K·N, …)`, later ones FP32.

        K tries of N pictures each, one after another; N are the pictures of the pass.
        """
        copies = tried.shape[0] // self.a.shape[0]
        present = self.sites.sites[self.at]

        def replace(at: Site, a: Tensor, layer: nn.Module) -> Tensor:
            if at is present:
                return tried
            return a if self._number(at) > self.at else self._seen(at, a, layer)

        x = torch.cat([self.x] * copies)
        return self._run(_Resumed(self._known, copies, None), x, replace)

    def _seen(self, at: Site, a: Tensor, layer: nn.Module) -> Tensor:
        """What `visit` says; of sites passed long ago only where a later layer reads them too."""
        if self._number(at) < self.at and len(at.layers) == 1:
            return a
        return self.visit(at, a, layer)

    def _number(self, site: Site) -> int:
        return self.sites.sites.index(site)

    def _run(self, resumed: _Resumed, x: Tensor, visit: Visit) -> Tensor:
        token = _resumed.set(resumed)
        try:
            return self.sites.run(x, visit, self._network)
        finally:
            _resumed.reset(token)


def _cloned(result: Any) -> Any:
    return result.clone() if isinstance(result, Tensor) else result


def _resumable(network: nn.Module) -> nn.Module:
    """A copy with the same weights and hooks whose modules ask the pass whether to work."""
    twin = structural_copy(network)
    for module in twin.modules():
        if module is not twin:
            module.forward = partial(_call, module, module.forward)
    return twin


def _call(module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    resumed = _resumed.get()
    if resumed is None:
        return forward(*args, **kwargs)
    return resumed.call(module, forward, *args, **kwargs)
