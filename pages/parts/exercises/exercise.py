"""What an exercise consists of, and how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from pages.parts.shared.page_links import way_to
from pages.parts.shared.terms import linked


@dataclass(frozen=True)
class Exercise:
    """`page` with `query` is where it starts; `answer` holds numbers that a test computes anew.

    `key` names it in the tests, `code` is what the answer shows beside its words.
    """

    key: str
    title: str
    minutes: int
    task: str
    page: str
    query: Mapping[str, str]
    hint: str
    answer: str
    code: str = field(default="", repr=False)


def show_exercise(exercise: Exercise, number: int) -> None:
    with st.container(border=True):
        st.markdown(f"**{number}. {exercise.title}** · {exercise.minutes} minutes")
        st.markdown(linked(exercise.task))
        way_to(exercise.page, "Start here", exercise.query, ":material/play_arrow:")
        with st.expander("Hint", icon=":material/lightbulb:"):
            st.markdown(linked(exercise.hint))
        with st.expander("Answer", icon=":material/check:"):
            st.markdown(linked(exercise.answer))
            if exercise.code:
                st.code(exercise.code, language="python")
