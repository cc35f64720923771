"""One piece of work, and the name under which its result is found again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quantlib.kept.digest import digest_of
from quantlib.sweeps.contents import Content
from quantlib.sweeps.versions import versions


@dataclass(frozen=True)
class Unit:
    """`work(*given, *places)` makes bytes, here or in any other process.

    They depend on `given`, plain values and value objects, on what `contents` hold, and on the
    code; not on `places`, which say where things lie. `work` is a function of a module, and `name`
    what people are told.

    >>> from binascii import unhexlify
    >>> one = Unit("five", unhexlify, ("05",))
    >>> one.compute(), one.digest == Unit("another name", unhexlify, ("05",)).digest
    (b'\\x05', True)
    """

    name: str
    work: Callable[..., bytes]
    given: tuple[Any, ...] = ()
    places: tuple[Any, ...] = ()
    contents: tuple[Content, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Equal for units that give equal bytes."""
        work = f"{self.work.__module__}.{self.work.__qualname__}"
        return digest_of(work, self.given, self.contents, versions())

    def compute(self) -> bytes:
        return self.work(*self.given, *self.places)
