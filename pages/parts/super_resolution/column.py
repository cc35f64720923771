"""One column: a network under settings, as the address says it and as a label names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pages.parts.shared.hub import check_name
from pages.parts.shared.method import nearest_bits
from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.methods import method
from quantlib.ptq.parameters import PARAMETERS

BETWEEN, WITHIN = ";", ","


@dataclass(frozen=True)
class Column:
    """The network `network` under `settings`.

    With `like`, `settings` are where the search for those begins that take as many bytes as `like`.
    """

    network: str
    settings: Settings
    like: Settings | None = None


def written(columns: Sequence[Column]) -> str:
    """The columns as they stand in the address.

    >>> written([Column("builtin:a", Settings("dqa", 3)), Column("hub:a/b", Settings("fp32"))])
    'builtin:a,dqa,bits=3,m=3,r=0.4,criterion=fisher;hub:a/b,fp32'
    """
    return BETWEEN.join(WITHIN.join(_words(column)) for column in columns)


def _words(column: Column) -> list[str]:
    settings = column.settings
    words = [quote(column.network, safe=":/@.-"), settings.method]
    for name, parameter in PARAMETERS.items():
        value = getattr(settings, name)
        counts = settings.entry.takes(name) or name == "depth"
        if counts and not (parameter.aside and value == parameter.default):
            words.append(f"{parameter.key}={parameter.text(value)}")
    return words


def read(text: str) -> tuple[list[Column], int]:
    """The columns in an address, each once, and how many cannot be read.

    >>> read("builtin:edsr-x2,direct,bits=3;nonsense")
    ([Column(network='builtin:edsr-x2', settings=..., like=None)], 1)
    """
    found: dict[Column, None] = {}
    unreadable = 0
    for part in filter(None, text.split(BETWEEN)):
        try:
            found[_column(part)] = None
        except (ValueError, KeyError, QuantlibError):
            unreadable += 1
    return list(found), unreadable


def _column(text: str) -> Column:
    network, name, *words = text.split(WITHIN)
    check_name(network := unquote(network))
    entry = method(name)
    fields = {p.key: one for one, p in PARAMETERS.items() if entry.takes(one) or one == "depth"}
    values = {}
    for word in words:
        key, _, value = word.partition("=")
        values[fields[key]] = PARAMETERS[fields[key]].value(value)
    settings = Settings(name, **values)
    if entry.budgeted:
        settings = Settings(name, **values, bits=nearest_bits(settings.bits_per_activation))
    return Column(network, settings)


def titles_of(columns: Sequence[Column]) -> list[str]:
    """What tells each column from the others.

    >>> one, other = Settings("dqa", 3), Settings("dqa", 3, important=0.2)
    >>> titles_of([Column("builtin:edsr-x2", one), Column("builtin:edsr-x2", other)])
    ['3-bit DQA, r = 0.4', '3-bit DQA, r = 0.2']
    >>> titles_of([Column("builtin:edsr-x2", one), Column("hub:a/b", Settings("fp32"))])
    ['edsr-x2, 3-bit DQA', 'a/b, FP32']
    """
    several = len({column.network for column in columns}) > 1
    titles = []
    for column in columns:
        alike = [other for other in columns if _title(other) == _title(column)]
        network = f"{column.network.partition(':')[2]}, " if several else ""
        titles.append(", ".join([network + _title(column), *_differences(column, alike)]))
    return titles


def _title(column: Column) -> str:
    settings = column.settings
    full = settings.depth == PARAMETERS["depth"].default
    return settings.summary if full else f"{settings.summary}, {settings.depth} depth"


def _differences(column: Column, alike: Sequence[Column]) -> list[str]:
    settings = column.settings
    return [
        f"{parameter.key} = {parameter.text(getattr(settings, name))}"
        for name, parameter in PARAMETERS.items()
        if settings.entry.takes(name)
        and len({getattr(other.settings, name) for other in alike}) > 1
    ]
