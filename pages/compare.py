"""Up to six results of one picture under one lens."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.compare import one_by_one
from pages.parts.compare.blind_view import show_test, under_way
from pages.parts.compare.presets import PRESETS
from pages.parts.compare.reproduce import show_compare_reproduce
from pages.parts.compare.results_view import show_results
from pages.parts.shared.notices import body, notice
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.column import Column
from pages.parts.super_resolution.comparing import comparing
from pages.parts.super_resolution.networks import LoadedNetwork, loaded
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import wait_for_long_work
from quantlib.errors import QuantlibError

start_page(
    "Compare",
    "Up to six results of one picture under one lens: one zoom, flicker, difference, values.",
)


def columns_of(choices: Choices) -> list[Column]:
    """The columns that a preset stands for, or those that were chosen one by one."""
    chosen = st.segmented_control(
        "Beside full precision",
        [*PRESETS, one_by_one.TITLE],
        default=next(iter(PRESETS)),
        required=True,
        key="preset",
        bind="query-params",
    )
    if chosen == one_by_one.TITLE:
        return one_by_one.chosen_columns(choices)
    preset = PRESETS[chosen]
    columns = preset.columns(choices)
    if len(columns) == 1:
        st.info(preset.alone)
        return []
    if preset.note:
        caption(preset.note)
    return columns


def networks_of(choices: Choices, columns: Sequence[Column]) -> dict[str, LoadedNetwork]:
    """The networks of the columns, without those that cannot stand beside the chosen one."""
    chosen = choices.network
    networks = {chosen.name: chosen}
    for name in {column.network: None for column in columns if column.network != chosen.name}:
        with notice():
            network = loaded(name)
            if network.scale != chosen.scale:
                raise QuantlibError(
                    f"{name} enlarges {network.scale} times and {chosen.name} {chosen.scale} "
                    "times, so that their results are no panes of one size; choose a network of "
                    "its scale in the sidebar."
                )
            networks[name] = network
    return networks


with body():
    choices = choose()
    wait_for_long_work(choices)
    if (blind := under_way()) is not None:
        show_test(blind)
    elif columns := columns_of(choices):
        networks = networks_of(choices, columns)
        columns = [column for column in columns if column.network in networks]
        if columns:
            run = comparing(choices.subject, networks, columns)
            show_results(choices, run)
            show_compare_reproduce(choices, run.results)
