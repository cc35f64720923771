"""The sidebar's method and its numbers: widgets and addresses, made from the shelf's entries."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts.shared.terms import caption
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.methods import DQA, method
from quantlib.ptq.parameters import PARAMETERS, OneOf, Parameter, Real, Switch, Whole

FROM_NETWORK = ("depth",)
"""Parameters that are asked for once the network is known."""


def choose_method(names: Sequence[str]) -> str:
    """One of the methods `names`, DQA unless another is chosen."""
    chosen = st.selectbox(
        "Method",
        names,
        index=names.index(DQA.name),
        format_func=lambda name: method(name).title,
        key="method",
        bind="query-params",
    )
    caption(method(chosen).sentence)
    return chosen


def first_settings() -> Settings:
    """What the widgets show before anybody has touched them."""
    taken = {name: p.begins_with for name, p in PARAMETERS.items() if DQA.takes(name)}
    return Settings(DQA.name, **taken)


def choose_numbers(
    chosen: str,
    criteria: Sequence[str] = tuple(CRITERIA),
    ranked_on: str = "crops of four sample photographs",
) -> dict[str, Any]:
    """The settings that belong to the method `chosen`; `ranked_on` is what channels are ranked on.

    What a learned method takes follows from the network and is not asked for here.
    """
    entry = method(chosen)
    values: dict[str, Any] = {"method": chosen}
    if entry.learned:
        return values
    taken = {n: p for n, p in PARAMETERS.items() if entry.takes(n) and n not in FROM_NETWORK}
    for name, parameter in taken.items():
        if not parameter.aside:
            values[name] = _ask(name, parameter, criteria, ranked_on)
    if aside := {name: parameter for name, parameter in taken.items() if parameter.aside}:
        with st.expander("More settings", icon=":material/tune:"):
            for name, parameter in aside.items():
                values[name] = _ask(name, parameter, criteria, ranked_on)
    if entry.budgeted:
        values["bits"] = nearest_bits(values["bits_per_activation"])
    return values


def _ask(name: str, parameter: Parameter, criteria: Sequence[str], ranked_on: str) -> Any:
    common: dict[str, Any] = {"key": parameter.key, "bind": "query-params", "help": parameter.help}
    first = parameter.begins_with
    if isinstance(parameter, Whole):
        return st.slider(parameter.title, parameter.low, parameter.high, first, **common)
    if isinstance(parameter, Real):
        return st.slider(parameter.title, *parameter.shown, first, parameter.step, **common)
    if isinstance(parameter, Switch):
        return st.toggle(parameter.title, first, **common)
    assert isinstance(parameter, OneOf)
    ranks = name == "criterion"
    if ranks:
        common["help"] += f" Measured once on {ranked_on}."
    choices = criteria if ranks else parameter.choices
    value = st.selectbox(parameter.title, choices, format_func=parameter.title_of, **common)
    if ranks:
        caption(f"Score: {CRITERIA[value].formula}")
    return value


def address_of(settings: Settings) -> dict[str, str]:
    """The query parameters under which a page shows `settings`.

    >>> address_of(Settings("dqa", 3, criterion="gain"))["criterion"]
    'Gain'
    """
    query = {"method": settings.entry.title}
    for name, parameter in PARAMETERS.items():
        if settings.entry.takes(name):
            query[parameter.key] = _written(parameter, getattr(settings, name))
    return query


def _written(parameter: Parameter, value: Any) -> str:
    if isinstance(parameter, OneOf):
        return parameter.title_of(value)
    return str(value).lower() if isinstance(parameter, Switch) else parameter.text(value)


def take_over(settings: Settings) -> None:
    """Make `settings` the visitor's choice; for a callback, before the widgets are drawn."""
    for name, parameter in PARAMETERS.items():
        if settings.entry.takes(name) and not parameter.aside:
            st.session_state[parameter.key] = getattr(settings, name)


def nearest_bits(budget: float) -> int:
    """The bits n whose codes take about `budget` bits per activation.

    >>> nearest_bits(0.5), nearest_bits(2.75)
    (2, 3)
    """
    bits = PARAMETERS["bits"]
    assert isinstance(bits, Whole)
    return max(bits.low, min(bits.high, round(budget)))
