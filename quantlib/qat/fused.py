"""Elementwise formulas in one pass over memory, where PyTorch finds a C++ compiler."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

WORTH_COMPILING = 1 << 12
VARIANTS = 64  # of one formula: data types, ranks, with and without shifts
_uncompilable: set[Callable] = set()
_uncompiled = ContextVar("uncompiled", default=False)


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
    """`function` compiled by TorchInductor for tensors of some size, as it is otherwise.

    Its first argument decides. Without a compiler the function runs as it is, only slower.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        x = args[0]
        assert isinstance(x, Tensor)
        small = x.numel() < WORTH_COMPILING or x.dtype == torch.float64
        if small or function in _uncompilable or _uncompiled.get():
            return function(*args, **kwargs)
        try:
            return _compiled(function)(*args, **kwargs)
        except Exception:  # a missing or unfit compiler shows in many kinds of errors
            _uncompilable.add(function)
            return function(*args, **kwargs)

    return call


@cache
def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    settings = torch._dynamo.config
    settings.recompile_limit = max(settings.recompile_limit, VARIANTS)
    return torch.compile(function, dynamic=True)
