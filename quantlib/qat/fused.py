"""Formulas and networks through TorchInductor, where PyTorch finds a C++ compiler."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

WORTH_COMPILING = 1 << 12
VARIANTS = 64  # of one formula: data types, ranks, with and without shifts
_uncompiled = ContextVar("uncompiled", default=False)
_constant: list[Callable] = []


@contextmanager
def uncompiled() -> Iterator[None]:
    """Inside, formulas run as they are: for short runs, which compiling would outlast.

    >>> with uncompiled():
    ...     fused(torch.neg)(torch.ones(WORTH_COMPILING)).sum()
    tensor(-4096.)
    """
    token = _uncompiled.set(True)
    try:
        yield
    finally:
        _uncompiled.reset(token)


def fused(function: Callable[P, R]) -> Callable[P, R]:
    """An elementwise formula in one pass over memory for tensors of some size, else as it is.

    Its first argument decides. Inside a network that is compiled it becomes a part of that.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        x = args[0]
        assert isinstance(x, Tensor)
        small = x.numel() < WORTH_COMPILING or x.dtype == torch.float64
        if small or _uncompiled.get():
            return function(*args, **kwargs)
        return _formula(function)(*args, **kwargs)

    return call


def constant_result(function: Callable[P, R]) -> Callable[P, R]:
    """Inside a compiled formula, what `function` gives is a constant."""
    _constant.append(function)
    return function


@cache
def _formula(function: Callable[P, R]) -> Callable[P, R]:
    return compiled(function, dynamic=True)


def compiled(function: Callable[P, R], **settings: Any) -> Callable[P, R]:
    """`function` by `torch.compile` with its `settings`; as it is, only slower, once that fails.

    >>> compiled(torch.neg)(torch.tensor(2.0))
    tensor(-2.)
    """
    fast, failed = None, False

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal fast, failed
        if not failed:
            try:
                fast = fast or _compile(function, settings)
                return fast(*args, **kwargs)
            except Exception:  # a missing or unfit compiler shows in many kinds of errors
                failed = True
        return function(*args, **kwargs)

    return call


def _compile(function: Callable[P, R], settings: dict[str, Any]) -> Callable[P, R]:
    """The compiler is imported here, when it is needed: it takes as long to import as torch."""
    dynamo = torch._dynamo.config
    dynamo.recompile_limit = max(dynamo.recompile_limit, VARIANTS)
    dynamo.specialize_float = True  # else a formula's numbers turn its kernel into scalar doubles
    for one in _constant:
        torch.compiler.assume_constant_result(one)
    return torch.compile(function, **settings)
