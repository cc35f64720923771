"""The weights of a network among everything else that training frameworks put into a file."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

Weights = Mapping[str, Tensor]

DEEPEST = 8
"""Wrappers inside wrappers, and prefixes before prefixes."""

WRAPPERS = (
    *("params", "state_dict", "model_state_dict", "model", "net", "network"),
    *("net_g", "netG", "generator", "weights", "module"),
)
GENERATORS = ("net_g", "netG", "generator", "ema_model", "model_ema")
PREFIXES = (*GENERATORS, "module", "model", "net", "network", "ema", "online_model", "student")
AVERAGED = re.compile(r"(?:^|[^a-z])(?:ema|swa|averaged?|shadow)(?:[^a-z]|callback|$)")
BESIDE = re.compile(r"optim|sched|discriminator|net_?d(?![a-z])|loss|perceptual|scaler|vgg|lpips")
TRANSPARENT = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""What torch.compile and others put between the parts of a name."""
COUNTERS = {"n_averaged", "initted"}
"""What averaging keeps beside the weights."""


MOST_GROUPS = 50
"""Sets of weights beside each other that are compared."""


class Unwrapped(NamedTuple):
    """Weights by name, and a sentence for each choice that was made."""

    weights: Weights
    notes: tuple[str, ...] = ()


def unwrapped(content: object) -> Unwrapped:
    """The weights in what a file holds; averaged ones where there are both.

    >>> import torch
    >>> plain, averaged = {"a": torch.zeros(1)}, {"a": torch.ones(1)}
    >>> unwrapped({"state_dict": plain, "state_dict_ema": averaged, "epoch": 3}).weights
    {'a': tensor([1.])}
    """
    plain = _search(content, set())
    notes: tuple[str, ...] = ()
    for key, value in _averages(content, set()):
        averaged = _search(value, set(), inside=True) or _in_order(value, plain)
        if averaged:
            return Unwrapped(_named(averaged), (_taken(key),) if plain else ())
        if any(isinstance(one, Tensor) for list_ in _lists(value) for one in list_):
            notes = (
                f"The averaged weights ({key[:40]}) do not fit the plain ones, which are taken.",
            )
    weights = _named(plain)
    return _without_twin(weights) or Unwrapped(weights, notes)


def forms(weights: Weights) -> Iterator[Weights]:
    """The weights as they are, then without the prefixes that their names share, one by one.

    >>> import torch
    >>> weights = {"net.model.a": torch.zeros(1), "net.model.b": torch.zeros(1)}
    >>> [list(form) for form in forms(weights)]
    [['net.model.a', 'net.model.b'], ['model.a', 'model.b'], ['a', 'b']]
    """
    yield weights
    for _ in range(DEEPEST):
        prefix = _prefix(weights)
        if prefix is None:
            return
        weights = _below(prefix, weights)
        yield weights


def _search(content: object, seen: set[int], inside: bool = False, depth: int = 0) -> Weights:
    """The names and tensors of one network; `inside` what is averaged, that is looked at too."""
    if not isinstance(content, Mapping) or id(content) in seen or depth > DEEPEST:
        return {}
    seen.add(id(content))
    for wrapper in WRAPPERS:
        if found := _search(content.get(wrapper), seen, inside, depth + 1):
            return found
    if own := {str(name): value for name, value in content.items() if isinstance(value, Tensor)}:
        return own
    others = [
        found
        for key, value in content.items()
        if not _is(BESIDE, key)
        and (inside or not _is(AVERAGED, key))
        and (found := _search(value, seen, inside, depth + 1))
    ]
    return others[0] if len(others) == 1 else {}


def _averages(content: object, seen: set[int], depth: int = 0) -> Iterator[tuple[str, object]]:
    """What lies under a key that speaks of averages, the outer ones first."""
    if not isinstance(content, Mapping) or id(content) in seen or depth > DEEPEST:
        return
    seen.add(id(content))
    inner = [(str(key), value) for key, value in content.items() if not isinstance(value, Tensor)]
    inner = [(key, value) for key, value in inner if not _is(BESIDE, key)]
    yield from ((key, value) for key, value in inner if _is(AVERAGED, key))
    for _, value in inner:
        yield from _averages(value, seen, depth + 1)


def _in_order(content: object, plain: Weights) -> Weights:
    """Averages without names (torch_ema): as many as there are plain ones, and of their shapes."""
    names = [name for name, value in plain.items() if value.is_floating_point()]
    for values in _lists(content):
        if len(values) != len(names) or not names:
            continue
        pairs = list(zip(names, values, strict=True))
        averages = {name: value for name, value in pairs if isinstance(value, Tensor)}
        if len(averages) == len(pairs) and all(
            value.shape == plain[name].shape for name, value in averages.items()
        ):
            return {**plain, **averages}
    return {}


def _lists(content: object) -> list[Sequence[object]]:
    values = content.values() if isinstance(content, Mapping) else [content]
    return [value for value in values if isinstance(value, list | tuple)]


def _named(weights: Weights) -> dict[str, Tensor]:
    """The weights under the names that the network itself has for them."""
    plain = {
        ".".join(part for part in name.split(".") if part not in TRANSPARENT): value.detach()
        for name, value in weights.items()
        if name not in COUNTERS
    }
    return {name.removeprefix("module."): value for name, value in plain.items()}


def _without_twin(weights: Weights) -> Unwrapped | None:
    """The averaged ones of two sets of weights under two prefixes, None where there is one set."""
    firsts = Counter(name.split(".")[0] for name in weights)
    if len(firsts) > MOST_GROUPS:
        return None
    for average in (first for first in firsts if _is(AVERAGED, first)):
        averaged = {_dotless(name): value for name, value in _below(average, weights).items()}
        rest = {name: value for name, value in weights.items() if name.split(".")[0] != average}
        for plain in (rest, *(_below(first, rest) for first in firsts if first != average)):
            found = {
                name: averaged[_dotless(name)]
                for name, value in plain.items()
                if _dotless(name) in averaged and averaged[_dotless(name)].shape == value.shape
            }
            if found and 2 * len(found) >= len(averaged):
                return Unwrapped({**plain, **found}, (_taken(average),))
    return None


def _dotless(name: str) -> str:
    """LitEma of latent diffusion keeps averages under names without dots."""
    return name.replace(".", "")


def _below(prefix: str, weights: Weights) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {n.removeprefix(start): value for n, value in weights.items() if n.startswith(start)}


def _prefix(weights: Weights) -> str | None:
    """The first part of all names, a usual one of most, or the generator's of some."""
    firsts = Counter(name.split(".")[0] for name in weights if "." in name)
    for first, count in firsts.most_common(1):
        if count == len(weights):
            return first
    known = [p for p in PREFIXES if p in GENERATORS or 2 * firsts[p] >= len(weights)]
    return next((prefix for prefix in known if firsts[prefix]), None)


def _is(kind: re.Pattern[str], key: object) -> bool:
    return kind.search(str(key).lower()) is not None


def _taken(key: str) -> str:
    return f"The averaged weights ({key[:40]}) are taken, not the plain ones beside them."
