"""All units of a sweep, each computed once wherever there is room for it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from quantlib.errors import QuantlibError
from quantlib.sweeps.engines import Engine, InTurn
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.unit import Unit
from quantlib.sweeps.versions import Versions, versions


@dataclass(frozen=True)
class Outcome:
    """What a unit made; `note` says why it could not be kept, if it could not."""

    content: bytes
    note: str = ""


def sweep(
    units: Sequence[Unit],
    engine: Engine | None = None,
    kept: Kept | None = None,
    remark: Callable[[str], None] = lambda note: None,
) -> Iterator[tuple[Unit, bytes]]:
    """Every unit with what it made, in the order in which they are done.

    What is `kept` comes first and is not computed again; what is computed is kept there by whoever
    computed it. `remark` is told, once each, what did not stop the sweep. An error of a unit does,
    and so does the loss of the engine: what was done is kept until then.

    >>> from binascii import unhexlify
    >>> units = [Unit(digit, unhexlify, (f"0{digit}",)) for digit in "56"]
    >>> [(unit.name, made) for unit, made in sweep(units)]
    [('5', b'\\x05'), ('6', b'\\x06')]
    """
    missing = []
    for unit in units:
        found = kept.get(unit.digest) if kept else None
        if found is None:
            missing.append(unit)
        else:
            yield unit, found
    if missing:
        with engine or InTurn() as at_work:
            yield from _computed(missing, at_work, kept, remark)


def _computed(
    units: Sequence[Unit], engine: Engine, kept: Kept | None, remark: Callable[[str], None]
) -> Iterator[tuple[Unit, bytes]]:
    begun = {engine.submit(carry_out, unit, kept, versions()): unit for unit in units}
    told = set[str]()
    for done in engine.as_completed([*begun]):
        try:
            outcome: Outcome = done.result()
        except engine.losses as loss:
            raise QuantlibError(engine.why(loss)) from loss
        if outcome.note and outcome.note not in told:
            told.add(outcome.note)
            remark(outcome.note)
        yield begun.pop(done), outcome.content


def carry_out(unit: Unit, kept: Kept | None, begun_with: Versions) -> Outcome:
    """What `unit` makes here, unless another has made it meanwhile.

    Raises a QuantlibError where this is other code than the sweep was begun with, or finds other
    files.
    """
    begun_with.require_same(versions(), _here())
    for content in unit.contents:
        content.require_same()
    if kept is None:
        return Outcome(unit.compute())
    with kept.claim(unit.digest):
        if (found := kept.get(unit.digest)) is not None:
            return Outcome(found)
        made = unit.compute()
        try:
            kept.put(unit.digest, made)
        except QuantlibError as error:
            return Outcome(made, f"On {_here()} a result could not be kept: {error}")
        return Outcome(made)


def _here() -> str:
    import platform

    return platform.node() or "this machine"
