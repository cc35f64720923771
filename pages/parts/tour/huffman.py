"""Stop 6: what was shifted out is Huffman-coded."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.shared.layer_titles import layer_title
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene, no_planes
from pages.parts.tour.shift import BITS, EXTRA, fitted
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.coding.huffman import payload_size
from quantlib.coding.prefix_code import code_table
from quantlib.ptq import Site

AFTER_RELU, SIGNED = "After a ReLU", "In the residual stream"
SAME = 0.05  # bits


def counts_of(plane: Tensor) -> np.ndarray:
    """How often each of the 2^m shifting errors occurs."""
    quantizer = fitted(plane, EXTRA)
    errors = quantizer.shifting_errors(quantizer.widened(plane[None, None]))
    return np.bincount(errors.numpy().ravel(), minlength=1 << EXTRA)


def mean_length(counts: np.ndarray) -> float:
    """Bits per symbol of the Huffman code."""
    return sum(len(word.code) * word.count for word in code_table(counts)) / counts.sum()


def entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return abs(float((share * np.log2(share)).sum()))


def answer(scene: Scene) -> Answer:
    positive, signed = (
        mean_length(counts_of(scene.plane(site))) for site in (scene.after_relu, scene.signed)
    )
    right = 2 if abs(positive - signed) < SAME else int(signed < positive)
    return Answer(
        right,
        f"After a ReLU a code word has {positive:.2f} bits on average, in the residual stream "
        f"{signed:.2f}; uncoded both have {EXTRA}.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    with left:
        where = st.segmented_control(
            "Where the channel is",
            (AFTER_RELU, SIGNED),
            default=AFTER_RELU,
            required=True,
            key="where",
            bind="query-params",
            help="The same network, two of its layers.",
        )
        site: Site = scene.after_relu if where == AFTER_RELU else scene.signed
        counts = counts_of(scene.plane(site))
        total, words = int(counts.sum()), code_table(counts)
        terms = " + ".join(f"{w.count / total:.2f}·{len(w.code)}" for w in words[:3])
        size = payload_size(counts)
        show_numbers(
            f"mean length = Σ share · length = {terms}{' + …' if len(words) > 3 else ''} = "
            f"**{mean_length(counts):.3f} bits**",
            f"entropy, the fewest that any code could reach: **{entropy(counts):.3f} bits**",
            f"stored: {size.data:,} bytes of code words and a table of {size.table}; "
            f"uncoded {total * EXTRA // 8:,} bytes",
        )
    with right:
        charts.draw(_code(counts), "Shifting errors, and their code words", "code words")
        caption(
            f"Channel {scene.channel(site)} of the input of {layer_title(site.name)}, with "
            f"{BITS}+{EXTRA} bits. Above each bar: its code word."
        )
    channel = str(scene.channel(site))
    return {"bits": str(BITS), "m": str(EXTRA), "layer": layer_title(site.name), "channel": channel}


def _code(counts: np.ndarray) -> go.Figure:
    words = {word.symbol: word.code for word in code_table(counts)}
    figure = go.Figure(
        go.Bar(
            x=[str(k) for k in range(len(counts))],
            y=counts,
            text=[words.get(k, "") for k in range(len(counts))],
            textposition="outside",
            cliponaxis=False,
            marker_color=colours.extra_bits(),
            hovertemplate="shifting error %{x}: %{y} times, %{text}<extra></extra>",
        )
    )
    figure.update_layout(height=340)
    figure.update_xaxes(title="shifting error, 0 to 2^m − 1", type="category")
    figure.update_yaxes(title="count", range=[0, 1.12 * float(counts.max())])
    return figure


def lacks(network: LoadedNetwork) -> str:
    """Both kinds of layers are needed."""
    kinds = {site.nonnegative for site in network.sites.sites}
    return no_planes(network) or (
        "" if len(kinds) == 2 else "The chosen network has no ReLU inside, or nothing else"
    )


def lines(scene: Scene) -> Lines:
    names = scene.after_relu.name, scene.signed.name
    return Lines(
        "from quantlib.coding.huffman import encode\nfrom quantlib.quantizers.dqa import fit_dqa\n",
        f"for name in {names}:\n"
        "    means = layers[name].abs().mean((0, 2, 3))\n"
        "    x = layers[name][:, (means - means.mean()).abs().argmin()][:, None]\n"
        f"    quantizer = fit_dqa(x, {BITS}, {EXTRA}, torch.tensor([True]))\n"
        "    errors = quantizer.shifting_errors(quantizer.widened(x))\n"
        "    print(name, 8 * len(encode(errors.numpy())) / x.numel())\n",
    )


STOP = Stop(
    "What was shifted out is Huffman-coded",
    "Frequent shifting errors get short words, rare ones long words. That saves only where some "
    "are more frequent than others.",
    f"Of the {EXTRA} bits that were shifted out: where does a Huffman code save more?",
    (AFTER_RELU, SIGNED, "In both the same"),
    answer,
    show,
    lines,
    "Entropy coding saves where zeros abound; values of both signs leave it next to nothing.",
    "importance",
    "Importance: this channel and its code",
    lacks,
)
