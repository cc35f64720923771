"""One channel through DQA, step by step, with the numbers of the chosen picture."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.figures.levels import histogram, teeth
from pages.parts.figures.plane import plane_png
from pages.parts.importance.moving import show_shift, show_tree
from pages.parts.shared.terms import caption
from quantlib.coding import huffman
from quantlib.coding.prefix_code import code_lengths, code_table
from quantlib.ptq import Settings, Site
from quantlib.quantizers.dqa import DQATensor, encode, fit_dqa
from quantlib.quantizers.uniform import fit_uniform


@dataclass(frozen=True, eq=False)
class Channel:
    """Channel `index` of `values` at `site`, `(1, C, H, W)` or tokens, as an important channel.

    `size` is the height and the width of what the network sees.
    """

    site: Site
    values: Tensor
    index: int
    settings: Settings
    size: tuple[int, int]

    @cached_property
    def tensor(self) -> Tensor:
        """The channel alone, `(1, 1, H, W)`, tokens put in their places."""
        alone = self.values.select(self.site.channel_dim, self.index)
        plane = alone[0] if self.values.dim() == 4 else in_place(alone, *self.size)
        return plane[None, None]

    @cached_property
    def _quantizer(self):
        n, m = self.settings.bits, self.settings.extra_bits
        return fit_dqa(self.tensor, n, m, torch.tensor([True]))

    @property
    def fine_step(self) -> float:
        """Δ_{n+m}"""
        return self._quantizer.steps.item()

    @property
    def coarse_step(self) -> float:
        """Δ_n = 2^m·Δ_{n+m}"""
        return self.fine_step * 2**self.settings.extra_bits

    def wide_codes(self, x: Tensor) -> Tensor:
        """q', the codes of n+m bits."""
        bits = self.settings.bits + self.settings.extra_bits
        q = torch.round(x / self._quantizer.steps.item())
        return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).int()


def in_place(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens `(1, H·W)`, or those of square windows `(windows, side²)`, as a picture `(H, W)`.

    Windows that a layer has shifted stay shifted. What is no picture becomes one row.

    >>> in_place(torch.tensor([[1, 2, 5, 6], [3, 4, 7, 8]]), 2, 4)
    tensor([[1, 2, 3, 4],
            [5, 6, 7, 8]])
    """
    count, length = tokens.shape[0], tokens[0].numel()
    side = math.isqrt(length)
    if count * length != height * width:
        return tokens.reshape(1, -1)
    if count == 1:
        return tokens.reshape(height, width)
    if side**2 != length or height % side or width % side:
        return tokens.reshape(1, -1)
    windows = tokens.reshape(height // side, width // side, side, side)
    return windows.transpose(1, 2).reshape(height, width)


def show_map_and_histogram(channel: Channel) -> None:
    """The channel as a picture, and its values under the levels of n and n+m bits."""
    left, right = st.columns([2, 5], gap="medium")
    with left:
        st.markdown(f"**Channel {channel.index}**")
        st.image(
            plane_png(channel.tensor[0, 0]),
            caption="Dark is low, bright is high",
            alt=f"Activation map of channel {channel.index}",
            width="stretch",
            output_format="PNG",
        )
    with right:
        st.markdown("**Its values, and the levels that n bits and n+m bits leave of them**")
        charts.draw(_histogram(channel), "Histogram of the channel's values", "histogram")
        n, m = channel.settings.bits, channel.settings.extra_bits
        caption(
            f"Long lines: the {2**n} levels of {n} bits; short ones: what {m} extra bits add. "
            "Counts are on a logarithmic scale."
        )


def _histogram(channel: Channel) -> go.Figure:
    values = channel.tensor.flatten().numpy()
    counts, edges = np.histogram(values, bins=96)
    figure = histogram(counts, edges, "values")
    n, m = channel.settings.bits, channel.settings.extra_bits
    top = float(counts.max()) * 1.6
    for count, step, height, title, fill in (
        (2 ** (n + m), channel.fine_step, 0.25, f"{n + m}-bit levels", colours.extra_bits()),
        (2**n, channel.coarse_step, 1.0, f"{n}-bit levels", colours.codes()),
    ):
        levels = (np.arange(count) - count // 2) * step
        levels = levels[(levels >= edges[0] - step) & (levels <= edges[-1] + step)]
        figure.add_scatter(
            **teeth(levels, max(top**height, 2.0)),
            mode="lines",
            name=title,
            hoverinfo="skip",
            line={"color": fill, "width": 1 if height < 1 else 1.6},
            opacity=0.6 if height < 1 else 1.0,
        )
    figure.update_layout(height=300, bargap=0)
    figure.update_yaxes(type="log", title="count", range=[-0.1, np.log10(top)])
    figure.update_xaxes(title="activation")
    return figure


def show_value(channel: Channel) -> None:
    """A chosen value: its n+m-bit code, shifted step by step, and back."""
    values = channel.tensor.flatten()
    low, high = values.min().item(), values.max().item()
    if low == high:
        st.info(f"Every value of this channel is {low:g}; there is nothing to quantize.")
        return
    x = st.slider(
        "Follow one value a",
        low,
        high,
        low + 0.7 * (high - low),
        key="value",
        format="%.3f",
        help="Any value between the smallest and the largest of this channel.",
    )
    x = float(np.float32(x))
    st.markdown(_steps(channel, x))
    if channel.settings.extra_bits:
        wide = int(channel.wide_codes(torch.tensor(x)))
        show_shift(wide, channel.settings.bits, channel.settings.extra_bits)


def _steps(channel: Channel, x: float) -> str:
    n, m = channel.settings.bits, channel.settings.extra_bits
    fine, coarse = channel.fine_step, channel.coarse_step
    q = int(channel.wide_codes(torch.tensor(x)))
    code, lost = q >> m, q & ((1 << m) - 1)
    decoded = fine * q
    plain = fit_uniform(channel.tensor, n, channel_dim=1)(torch.full((1, 1, 1, 1), x)).item()
    rows = [
        ("Step of n+m bits", f"Δ₍ₙ₊ₘ₎ = max\\|a\\| / 2^{n + m - 1}", f"{fine:.5f}"),
        ("Quantize to n+m bits", f"q′ = round({x:.3f} / Δ₍ₙ₊ₘ₎)", f"{q} = `{_binary(q, n + m)}`"),
        ("Shift right by m", f"code = q′ >> {m}", f"{code} = `{_binary(code, n)}`"),
        ("Bits shifted out", f"k = q′ & {(1 << m) - 1}", f"{lost} = `{_unsigned(lost, m)}`"),
        ("Shifting error", f"k / 2^{m}", f"{lost / 2**m:g}"),
        (
            "Decode",
            f"Δₙ·(code + k / 2^{m}) = {coarse:.5f}·{code + lost / 2**m:g}",
            f"{decoded:.5f}",
        ),
        ("Error with DQA", "decoded − a", f"{decoded - x:+.5f}"),
        (f"Error with {n} bits alone", "Δₙ·round(a / Δₙ) − a", f"{plain - x:+.5f}"),
    ]
    table = "| step | formula | here |\n| --- | --- | --- |\n"
    return table + "\n".join(f"| {a} | {b} | {c} |" for a, b, c in rows)


def _binary(value: int, bits: int) -> str:
    return format(value & ((1 << bits) - 1), f"0{bits}b")


def _unsigned(value: int, bits: int) -> str:
    return format(value, f"0{bits}b") if bits else "–"


def show_coding(channel: Channel) -> None:
    """The shifting errors' histogram, their Huffman codes, and the way back."""
    m = channel.settings.extra_bits
    if not m:
        st.info("With m = 0 nothing is shifted out; choose extra bits in the sidebar.")
        return
    lost = (channel.wide_codes(channel.tensor) & ((1 << m) - 1)).flatten().numpy()
    counts = np.bincount(lost, minlength=1 << m)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Shifting errors of this channel**")
        figure = go.Figure(
            go.Bar(
                x=[f"{k / 2**m:g}" for k in range(1 << m)],
                y=counts,
                marker_color=colours.extra_bits(),
                hovertemplate="error %{x}: %{y}<extra></extra>",
            )
        )
        figure.update_layout(height=260)
        figure.update_xaxes(title="k / 2^m", type="category")
        figure.update_yaxes(title="count")
        charts.draw(figure, "Histogram of the shifting errors", "shifting errors")
    with right:
        st.markdown("**Their Huffman code**")
        rows = [
            {
                "k": word.symbol,
                "error": word.symbol / 2**m,
                "count": word.count,
                "code": word.code or "(none needed)",
                "bits": len(word.code),
            }
            for word in code_table(counts)
        ]
        st.dataframe(rows, hide_index=True, height=260)
    caption(_coding_sentence(counts, m))
    show_tree(counts)


def _coding_sentence(counts: np.ndarray, m: int) -> str:
    share = counts[counts > 0] / counts.sum()
    entropy = -(share * np.log2(share)).sum()
    size = huffman.payload_size(counts)
    mean = (code_lengths(counts) * counts).sum() / counts.sum()
    return (
        f"Mean code length {mean:.3f} bits; entropy {entropy:.3f}; without coding {m}. "
        f"Coded in {size.data:,} bytes and a table of {size.table} bytes; "
        f"raw they would take {-(-int(counts.sum()) * m // 8):,}."
    )


def show_equality(channel: Channel) -> None:
    """Encode, serialise, read back, decode, and compare bit for bit."""
    n, m = channel.settings.bits, channel.settings.extra_bits
    coded = encode(channel.tensor, n, m, torch.tensor([True]))
    stored = coded.to_bytes()
    decoded = DQATensor.from_bytes(stored).decode()
    expected = channel.wide_codes(channel.tensor).float() * channel.fine_step
    equal = int((decoded == expected).sum())
    text = (
        f"Stored in {len(stored):,} bytes, read back and decoded: {equal:,} of "
        f"{decoded.numel():,} values equal Δ₍ₙ₊ₘ₎·q′ bit for bit."
    )
    if equal == decoded.numel():
        st.success(text, icon=":material/check_circle:")
    else:
        st.error(text, icon=":material/error:")
