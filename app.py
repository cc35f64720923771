"""The router of Bitlens: a script for every visitor, and the server that starts it, `app`."""

import streamlit as st

from pages.parts.server.giving_back import giving_back
from pages.parts.server.guarding import GUARDS
from pages.parts.server.health import health
from pages.parts.workbench import warming

if __name__ == "__main__":
    warming.wait_for_imports()
    tools = [
        st.Page(
            "pages/workbench.py",
            title="Workbench",
            default=True,
            help="One picture through one network: what matters, what is lost, what is saved.",
        ),
        st.Page(
            "pages/compare.py",
            title="Compare",
            help="Up to six results under one zoom: flicker, divider, difference, values.",
        ),
        st.Page(
            "pages/importance.py",
            title="Importance",
            help="Which channels matter, by which criterion, and one of them step by step.",
        ),
        st.Page(
            "pages/memory.py",
            title="Memory",
            help="Quality against measured bytes, over bits, extra bits and important ratio.",
        ),
        st.Page(
            "pages/classify.py",
            title="Classify",
            help="Labelled pictures through a classifier: which answers change, what is saved.",
        ),
        st.Page(
            "pages/segment.py",
            title="Segment",
            help="The class of every pixel, in full precision and with few bits.",
        ),
        st.Page(
            "pages/rlq.py",
            title="RLQ lab",
            help="How RLQ rounds, what gradients it passes, and a small training to watch.",
        ),
        st.Page(
            "pages/depth.py",
            title="Depth",
            help="One super-network at any depth: blocks kept, quality, operations and bytes.",
        ),
        st.Page(
            "pages/speed.py",
            title="Speed",
            help="Every form of a network on this machine: time, memory, bytes and quality.",
        ),
        st.Page(
            "pages/results.py",
            title="Results",
            help="What was published and what was measured here, in columns of their own.",
        ),
    ]
    learn = [
        st.Page(
            "pages/tour.py",
            title="Tour",
            help="Ten stops from a photograph to integers that run, a guess before each.",
        ),
        st.Page(
            "pages/exercises.py",
            title="Exercises",
            help="Twelve of them, from five minutes to an hour, with hints and answers.",
        ),
        st.Page(
            "pages/glossary.py",
            title="Glossary",
            help="Every symbol and term: a plain name and two sentences.",
        ),
    ]
    st.navigation({"": tools, "Learn": learn}, position="top").run()
else:
    app = st.App(
        __file__,
        lifespan=giving_back(warming.warmed),
        routes=[health(warming.is_warming)],
        middleware=GUARDS,
    )
