"""Two things that move, a step at a time and back again: the shift, and the growth of a tree.

Every step is a still, so that nothing moves by itself for whoever does not want it.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts, colours

HEIGHT = 300


@dataclass(frozen=True)
class Node:
    """A symbol, or the union of two nodes; `weight` is how often its symbols occur."""

    weight: int
    symbols: tuple[int, ...]
    below: tuple["Node", ...] = ()


def unions(counts: Sequence[int]) -> list[Node]:
    """The unions that make a Huffman tree, in their order; the last one is the whole tree.

    >>> [node.symbols for node in unions([5, 1, 1, 2])]
    [(1, 2), (3, 1, 2), (3, 1, 2, 0)]
    """
    heap = [(count, place, Node(count, (place,))) for place, count in enumerate(counts) if count]
    heapq.heapify(heap)
    made: list[Node] = []
    while len(heap) > 1:
        (_, _, one), (_, _, other) = heapq.heappop(heap), heapq.heappop(heap)
        node = Node(one.weight + other.weight, one.symbols + other.symbols, (one, other))
        made.append(node)
        heapq.heappush(heap, (node.weight, len(counts) + len(made), node))
    return made


def lengths(made: Sequence[Node], symbols: int) -> list[int]:
    """How long the word of each symbol is: one bit for each union that it is part of.

    >>> lengths(unions([5, 1, 1, 2]), 4)
    [1, 3, 3, 2]
    """
    found = [0] * symbols
    for node in made:
        for symbol in node.symbols:
            found[symbol] += 1
    return found


def stepper(steps: int, key: str, what: str) -> int:
    """Where one stands among `steps` steps: a slider with a button to each side."""

    def go(by: int) -> None:
        st.session_state[key] = min(max(st.session_state[key] + by, 0), steps)

    if st.session_state.get(key, 0) > steps:
        st.session_state[key] = steps
    with st.container(horizontal=True, vertical_alignment="bottom"):
        back = st.container(width="content")
        step = st.slider(what, 0, steps, key=key)
        for place, by, icon, label, stands in (
            (back, -1, "skip_previous", "Step back", step == 0),
            (st.container(width="content"), 1, "skip_next", "Step", step == steps),
        ):
            place.button(
                label,
                icon=f":material/{icon}:",
                on_click=go,
                args=(by,),
                disabled=stands,
                key=f"{label} {key}",
            )
    return step


def show_shift(wide: int, bits: int, extra_bits: int) -> None:
    """The wide code moves to the right, bit by bit, and its low bits fall off."""
    st.markdown("**The shift, one bit at a time**")
    step = stepper(extra_bits, "shift step", "Bits that are shifted")
    charts.draw(
        shifting(wide, bits, extra_bits, step),
        f"The code of {bits + extra_bits} bits, shifted right by {step}",
        "shift",
    )


def shifting(wide: int, bits: int, extra_bits: int, step: int) -> go.Figure:
    total = bits + extra_bits
    digits = format(wide & ((1 << total) - 1), f"0{total}b")
    figure = go.Figure()
    stays = total - step
    for name, places, lift, fill in (
        ("stays in the code", range(stays), 1, colours.codes()),
        ("has fallen off", range(stays, total), 0, colours.extra_bits()),
    ):
        figure.add_scatter(
            x=[place + (step if lift else 0) for place in places],
            y=[lift] * len(places),
            text=[digits[place] for place in places],
            mode="markers+text",
            name=name,
            textfont={"size": 18, "color": "#ffffff" if not colours.is_dark() else "#0f171d"},
            marker={"size": 38, "symbol": "square", "color": fill},
            hoverinfo="skip",
        )
    figure.update_layout(height=HEIGHT - 80)
    figure.update_xaxes(visible=False, range=[-0.8, total + extra_bits - 0.2])
    figure.update_yaxes(visible=False, range=[-0.6, 1.6])
    return figure


def show_tree(counts: np.ndarray) -> None:
    """The two rarest nodes are united, again and again, until one is left."""
    made = unions(counts.tolist())
    if not made:
        return
    st.markdown("**How its Huffman tree grows**")
    step = stepper(len(made), "tree step", "Unions so far")
    charts.draw(tree(made, step), f"The Huffman tree after {step} of {len(made)} unions", "tree")


def tree(made: Sequence[Node], step: int) -> go.Figure:
    """The first `step` unions; leaves stand where the finished tree has them."""
    order = made[-1].symbols
    middle: Callable[[Node], float] = lambda node: float(  # noqa: E731
        np.mean([order.index(symbol) for symbol in node.symbols])
    )
    height = {node: place + 1 for place, node in enumerate(made)}
    figure = go.Figure()
    for node in made[:step]:
        for digit, below in zip("01", node.below, strict=True):
            figure.add_scatter(
                x=[middle(node), middle(below), middle(below)],
                y=[height[node], height[node], height.get(below, 0)],
                mode="lines+text",
                text=["", digit, ""],
                textposition="bottom center",
                line={"color": colours.reference(), "width": 2},
                showlegend=False,
                hoverinfo="skip",
            )
    leaves = [below for node in made for below in node.below if not below.below]
    for some, fill, name in (
        (leaves, colours.extra_bits(), "shifting errors"),
        (made[:step], colours.own(), "unions"),
    ):
        figure.add_scatter(
            x=[middle(node) for node in some],
            y=[height.get(node, 0) for node in some],
            mode="markers",
            name=name,
            marker={"size": 12, "color": fill},
            customdata=[[", ".join(map(str, node.symbols)), node.weight] for node in some],
            hovertemplate="%{customdata[0]}: %{customdata[1]} times<extra></extra>",
        )
    figure.update_layout(height=HEIGHT + 60)
    figure.update_xaxes(
        title="shifting error", tickvals=list(range(len(order))), ticktext=[str(s) for s in order]
    )
    figure.update_yaxes(visible=False, range=[-0.5, len(made) + 0.8])
    return figure
