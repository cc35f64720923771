"""What code a number comes from, which has to be the same wherever a sweep computes."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from quantlib import __version__
from quantlib.errors import QuantlibError
from quantlib.kept.digest import code_digest

LIBRARIES = "torch", "numpy", "scipy", "pillow"
"""Those that figures and pictures go through."""


@dataclass(frozen=True)
class Versions:
    """Names and versions of all that computes."""

    of: tuple[tuple[str, str], ...]

    def require_same(self, other: "Versions", where: str) -> None:
        """Raises a QuantlibError that says in what `other`, which `where` has, differs from this.

        >>> here, there = Versions((("torch", "2.15.0"),)), Versions((("torch", "2.14.1"),))
        >>> here.require_same(there, "the worker tcp://10.0.0.7:4001")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        quantlib.errors.QuantlibError: the worker tcp://10.0.0.7:4001 has torch 2.14.1, and this ...
        """
        theirs = dict(other.of)
        differ = [(name, theirs.get(name, "none"), own) for name, own in self.of]
        differ = [(name, there, here) for name, there, here in differ if there != here]
        if differ:
            there = ", ".join(f"{name} {version}" for name, version, _ in differ)
            here = ", ".join(version for _, _, version in differ)
            raise QuantlibError(
                f"{where} has {there}, and this sweep {here}; install the same there, "
                "or take that worker away."
            )


@cache
def versions() -> Versions:
    """Those of this process."""
    code = ("Bitlens", __version__), ("the code of Bitlens", code_digest()[:12])
    return Versions((*code, *((name, _installed(name)) for name in LIBRARIES)))


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
