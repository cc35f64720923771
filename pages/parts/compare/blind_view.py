"""The blind test on the page: it hides the named results until its last answer."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pages.parts.compare.blind import QUESTIONS, SIDES, BlindTest, Round, Side, drawn
from pages.parts.figures.viewer import Pane, View, viewer
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.panes import stem_of
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib.imaging.reading import png_bytes

KEY, ANY = "blind test", "any of the others"
MOST, LEAST = 168, 16  # pixels of a crop


@dataclass(frozen=True)
class Blind:
    """A test, and the whole pictures that its crops are cut from, by name."""

    test: BlindTest
    pictures: Mapping[str, np.ndarray]
    reference: str
    picture: str
    stem: str


def under_way() -> Blind | None:
    """The visitor's test, until it is closed."""
    return st.session_state.get(KEY)


def offer_test(choices: Choices, results: Sequence[Result]) -> None:
    """What is asked, of which results, and the button that begins."""
    full = [one.title for one in results if not one.settings.entry.quantizes]
    names = [one.title for one in results]
    with st.expander("Blind test", icon=":material/visibility_off:"):
        if not full or len(names) == len(full):
            caption("A blind test needs FP32 and a quantized result among the columns.")
            return
        question = QUESTIONS[
            st.segmented_control(
                "Question", list(QUESTIONS), default=next(iter(QUESTIONS)), required=True, key="ask"
            )
        ]
        left, right = st.columns(2)
        firsts = full[:1] if question.has_answer else names
        first = left.selectbox("One result", firsts, key="blind one")
        others = [
            one for one in names if one != first and not (question.has_answer and one in full)
        ]
        against = right.selectbox("against", [ANY, *others], key="blind other")
        caption(
            f"Ten rounds: a crop at a random place, two results as A and B in random order, and "
            f"{_reference_of(choices)[0]} as the reference. Names and score come after the last "
            "answer. Nothing is kept beyond this visit."
        )
        if st.button("Begin", icon=":material/play_arrow:", type="primary", key="begin blind"):
            test = (question, first, others if against == ANY else [against])
            st.session_state[KEY] = _begun(choices, results, *test)
            st.rerun()


def _begun(choices: Choices, results: Sequence[Result], question, first, others) -> Blind:
    size = results[0].made.rgb.shape[:2]
    side = min(MOST, max(LEAST, min(size) // 2), *size)
    test = drawn(question, first, others, size, side, secrets.randbits(32))
    name, reference = _reference_of(choices)
    pictures = {one.title: one.made.rgb for one in results} | {"": reference}
    return Blind(
        test, pictures, name, choices.subject.title, stem_of(choices.subject, choices.network.scale)
    )


def _reference_of(choices: Choices) -> tuple[str, np.ndarray]:
    """The original, or what is nearest to it where that is not known."""
    if choices.subject.truth is not None:
        return "the original", choices.subject.truth
    return "the bicubic enlargement", bicubic(choices.subject, choices.network.scale)


def show_test(blind: Blind) -> None:
    """The round that waits for an answer, or the score."""
    test = blind.test
    if test.current is None:
        _show_score(blind)
    else:
        _show_round(blind, test.current)
    st.button(
        "Close the test" if test.current is None else "End the test",
        icon=":material/close:",
        on_click=lambda: st.session_state.pop(KEY, None),
        key="end blind",
    )


def _show_round(blind: Blind, current: Round) -> None:
    test = blind.test
    number = len(test.answers) + 1
    st.subheader(f"Round {number} of {len(test.rounds)}: {test.question.text}", anchor=False)
    st.progress((number - 1) / len(test.rounds))
    shown = {"A": current.a, "B": current.b, f"Reference: {blind.reference}": ""}
    rows = slice(current.top, current.top + test.side)
    columns = slice(current.left, current.left + test.side)
    viewer(
        [Pane(name, png_bytes(blind.pictures[of][rows, columns])) for name, of in shown.items()],
        key="blind viewer",
        alt=f"A crop of {blind.picture}",
        view=View(reference=2),
    )
    with st.container(horizontal=True):
        for side in SIDES:
            st.button(side, type="primary", on_click=_answer, args=(side,), key=f"answer {side}")


def _answer(side: Side) -> None:
    blind = under_way()
    if blind is not None:
        st.session_state[KEY] = replace(blind, test=blind.test.answered(side))


def _show_score(blind: Blind) -> None:
    test = blind.test
    st.subheader(test.sentence, anchor=False)
    st.dataframe(test.rows(), hide_index=True)
    conditions = {"picture": blind.picture, "reference": blind.reference}
    st.download_button(
        "Download the result as JSON",
        json.dumps(conditions | test.as_json(), indent=2),
        f"bitlens-blind-{blind.stem}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
