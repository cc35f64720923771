"""The choice of a picture: a sample photograph or the visitor's own."""

import streamlit as st

from quantlib.imaging.samples import SAMPLES

UPLOAD = "upload"
TITLES = {sample.key: sample.title for sample in SAMPLES} | {UPLOAD: "Your own picture"}


def choose_source(key: str, default: str = SAMPLES[0].key) -> str:
    """The key of a sample, or `UPLOAD`; `key` is the widget's."""
    return st.selectbox(
        "Picture",
        list(TITLES),
        index=list(TITLES).index(default),
        format_func=TITLES.__getitem__,
        key=key,
        bind="query-params",
    )


def credit_of(key: str) -> str:
    """Who took the sample photograph `key`."""
    return next(sample.credit for sample in SAMPLES if sample.key == key)
