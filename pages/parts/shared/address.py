"""One address for one state: how it is read, and what of it goes along to another page.

Widgets write themselves into the address (`bind="query-params"`). What Streamlit does not do is
done here: names in small letters are understood, and another page begins with the same choices.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import QueryParams

from pages.parts.shared.layer_titles import layer_title
from pages.parts.shared.samples import TITLES
from quantlib.ptq.methods import METHODS
from quantlib.ptq.parameters import PARAMETERS, OneOf
from quantlib.runtime.choice import CHOICES

CROP, VIEW, LAYER = "at", "zoom", "layer"
PARAMETER_TITLES = {one.key: one.title for one in (*PARAMETERS.values(), *CHOICES.values())}
CARRIED = {
    "picture": "the picture",
    "role": "how it is used",
    "network": "the network",
    "method": "the method",
    **{key: title[0].lower() + title[1:] for key, title in PARAMETER_TITLES.items()},
    "rlq_bits": "bits of weights and activations",
    CROP: "the crop",
    VIEW: "the zoom",
    "stop": "the stop of the tour",
    "lecture": "lecture mode",
}
"""What goes along from page to page, and how it is called."""

_NAMES: dict[str, dict[str, str]] = {
    "picture": TITLES,
    "scene": TITLES,
    "method": {name: method.title for name, method in METHODS.items()},
    **{
        one.key: {choice: one.title_of(choice) for choice in one.choices}
        for one in (*PARAMETERS.values(), *CHOICES.values())
        if isinstance(one, OneOf)
    },
}
_HERE, _ALONG, _OPENED = "page of the visit", "carried along", "opened with"
_LEFT = "address of the page before"


def tidied(query: Mapping[str, str]) -> dict[str, str]:
    """`query` with names as the widgets write them.

    >>> tidied({"picture": "cat", "method": "dqa-ANS", "bits": "2"})["method"]
    'DQA, base codes entropy-coded'
    >>> tidied({"picture": "cat"}), tidied({"picture": "Unicorn"})
    ({'picture': 'Cat'}, {'picture': 'Unicorn'})
    >>> tidied({"layer": "body.7.body.2, 32 channels"})
    {'layer': 'block 8, second convolution'}
    """
    found = {}
    for key, value in query.items():
        titles = _NAMES.get(key, {})
        known = {name.casefold(): title for name, title in titles.items()}
        known |= {title.casefold(): title for title in titles.values()}
        found[key] = known.get(value.strip().casefold(), value)
    if LAYER in found:
        module, _, _ = found[LAYER].partition(", ")
        if (title := layer_title(module)) != module:
            found[LAYER] = title
    return found


def arrive(page: str) -> None:
    """Settles the address when `page` is opened; for the beginning of its script.

    A link and the browser's Back and Forward say all themselves. To a page that is opened by a
    click go along the `CARRIED` choices, and what the link says that the page before did not.
    """
    state, here = st.session_state, st.session_state.get(_HERE)
    if here != page:
        query = st.query_params.to_dict()
        context = get_script_run_ctx()
        by_click = here is not None and not getattr(context, "is_history_navigation", False)
        if by_click:
            left = state.get(_LEFT, {})
            said = {k: v for k, v in query.items() if k in CARRIED or left.get(k) != v}
            query = state[_ALONG] | said
        _rewrite(tidied(query))
        state[_OPENED] = st.query_params.to_dict()
    state[_HERE] = page
    state[_LEFT] = st.query_params.to_dict()
    state[_ALONG] = {k: v for k, v in st.query_params.to_dict().items() if k in CARRIED}


def remember(key: str, value: str) -> None:
    """Puts what no widget holds into the address."""
    st.query_params[key] = value
    st.session_state.setdefault(_ALONG, {})[key] = value


def forget(key: str) -> None:
    """Takes out of the address what `remember` put there."""
    st.query_params.pop(key, None)
    st.session_state.get(_ALONG, {}).pop(key, None)


def opened_with(key: str) -> str:
    """What the address said when the page was opened; nothing that is done here changes it."""
    return st.session_state.get(_OPENED, {}).get(key, "")


def _rewrite(query: dict[str, str]) -> None:
    """Has the browser show `query`, and the page's widgets begin with it."""
    context = get_script_run_ctx()
    if context is None or query == st.query_params.to_dict():
        return
    with context.session_state.query_params() as params:
        params.from_dict(query)
        if begin := getattr(params, "set_initial_query_params_from_current", None):
            begin()


def _let_widgets_go(
    params: QueryParams, query_string: str, valid_script_hashes: set[str] | None = None
) -> None:
    """Takes the address over from the browser, and all of it when another page is opened.

    Streamlit would drop what widgets of the page before, or of this page when Back comes to it,
    hold in it, and add an entry without them to the history. Its names are private: where another
    version lacks them, Streamlit's own way stays.
    """
    if valid_script_hashes is not None:
        for widget in list(getattr(params, "_bindings_by_widget", ())):
            params.unbind_widget(widget)
    assert _populate is not None
    _populate(params, query_string)


_populate = getattr(QueryParams, "populate_from_query_string", None)
if (
    _populate is not None
    and _populate.__module__ != __name__
    and hasattr(QueryParams, "unbind_widget")
):
    QueryParams.populate_from_query_string = _let_widgets_go  # type: ignore[method-assign]
