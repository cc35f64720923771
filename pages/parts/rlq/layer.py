"""The values of the layer in the RLQ lab, and what a quantizer set by hand does to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from torch import Tensor

from pages.parts.shared.hub import show_hub_state
from pages.parts.shared.layer_titles import layer_title
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.activations import activation
from pages.parts.super_resolution.layers import choose_layer
from pages.parts.super_resolution.measuring import quantizable
from pages.parts.super_resolution.network_choice import choose_network
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject, choose_picture, subject
from quantlib.ptq import Settings, Site
from quantlib.ptq.methods import FP32
from quantlib.qat.report import (
    CodeReport,
    best_step,
    gradient_multipliers,
    report,
    set_by_hand,
)
from quantlib.qat.rlq import RLQ
from quantlib.quantizers.bitwidth import BitWidth

WEIGHTS, ACTIVATIONS, ALL = "weights", "activations", -1
LOWEST, HIGHEST = 0.05, 5.0
BINS = 96


@dataclass(frozen=True, eq=False)
class ChosenLayer:
    """Weights or activations of one layer, and of the latter perhaps one channel."""

    subject: Subject
    network: LoadedNetwork
    site: Site
    kind: str
    channel: int
    bits: int
    layer: Tensor

    @property
    def of_one_channel(self) -> bool:
        return self.channel != ALL

    @cached_property
    def shown(self) -> Tensor:
        """The values that are drawn, `(1, 1, N, 1)`: one channel, or all of them."""
        values = self.layer
        if self.of_one_channel:
            values = values.select(self.site.channel_dim, self.channel)
        return values.reshape(1, 1, -1, 1)

    @cached_property
    def start(self) -> RLQ:
        """As LSQ starts: from the whole layer; the first tensor decides on the sign."""
        quantizer = RLQ(self.bits, signed=True if self.kind == WEIGHTS else None)
        quantizer.initialise(self.layer)
        return quantizer

    @property
    def start_step(self) -> float:
        return self.start.step.item()

    @property
    def signed(self) -> bool:
        return bool(self.start.signed)

    @property
    def title(self) -> str:
        name = layer_title(self.site.name)
        if self.kind == WEIGHTS:
            return f"the weights of {name}"
        whole = f"the input of {name}"
        return f"channel {self.channel} of {whole}" if self.of_one_channel else whole

    def set_by_hand(self, ratio: float, shift_ratio: float, k: float) -> RLQ:
        """The quantizer of the sliders, which count in steps of LSQ's start."""
        step = self.start_step
        shift = shift_ratio * step if self.of_one_channel else None
        return set_by_hand(self.bits, self.signed, ratio * step, shift, k)

    def best_ratio(self, shift_ratio: float) -> float:
        """Where the slider has to stand for the least squared error of the values shown."""
        shifted = self.shown + shift_ratio * self.start_step * self.of_one_channel
        best = on_worker(best_step, shifted, self.bits, self.signed) / self.start_step
        return round(min(max(best, LOWEST), HIGHEST), 2)


@dataclass(frozen=True, eq=False)
class Findings:
    """All numbers of one drawing: the reports, histograms and gradients.

    `counts` belong to the bins between `edges`, over x + τ (far values are left out); `curve` is
    the gradient of RLQ and of STE at the values `axis`; `multipliers` are those of the values.
    """

    quantizer: RLQ
    before: CodeReport
    now: CodeReport
    counts: np.ndarray
    edges: np.ndarray
    axis: np.ndarray
    curve: tuple[np.ndarray, np.ndarray]
    multipliers: tuple[np.ndarray, np.ndarray]

    @property
    def shift(self) -> float:
        return 0.0 if self.quantizer.shift is None else self.quantizer.shift.item()

    @property
    def not_drawn(self) -> float:
        """The share of the values that lie outside the bins."""
        return 1 - self.counts.sum() / len(self.multipliers[0])

    @property
    def levels(self) -> np.ndarray:
        width = self.quantizer.bitwidth
        return np.arange(width.qmin, width.qmax + 1) * self.quantizer.step.item()


def examine(chosen: ChosenLayer, quantizer: RLQ) -> Findings:
    """Everything about `chosen`'s values under `quantizer`."""
    return on_worker(_examine, chosen, quantizer)


def _examine(chosen: ChosenLayer, quantizer: RLQ) -> Findings:
    x = chosen.shown
    shift = 0.0 if quantizer.shift is None else quantizer.shift.item()
    shifted = x.flatten().numpy() + np.float32(shift)
    step = quantizer.step.item()
    window = _window(shifted, quantizer.bitwidth, max(step, chosen.start_step))
    counts, edges = np.histogram(shifted, BINS, window)
    resolution = max(1200, int(40 * (edges[-1] - edges[0]) / step))
    axis = np.linspace(edges[0], edges[-1], min(resolution, 12_000))
    places = x.new_tensor(axis - shift).reshape(1, 1, -1, 1)
    curve = [gradient_multipliers(quantizer, places, k).flatten().numpy() for k in (None, 0.0)]
    multipliers = [gradient_multipliers(quantizer, x, k).flatten().numpy() for k in (None, 0.0)]
    before = report(chosen.start, x)
    return Findings(
        quantizer,
        before,
        report(quantizer, x),
        counts,
        edges,
        axis,
        (curve[0], curve[1]),
        (multipliers[0], multipliers[1]),
    )


def _window(values: np.ndarray, codes: BitWidth, step: float) -> tuple[float, float]:
    """The values, but no farther out than the levels reach twice more."""
    low, high = float(values.min()), float(values.max())
    reach = 2 * 2**codes.bits
    near = max(low, (codes.qmin - reach) * step), min(high, (codes.qmax + reach) * step)
    return near if near[0] < near[1] else (low, high)


def choose_values() -> ChosenLayer:
    """The sidebar: a picture, a network, a layer of it, and what is quantized."""
    with st.sidebar:
        network = choose_network().load()
        site = choose_layer(network.sites, "Layer")
        kind = st.segmented_control(
            "Quantize its",
            [ACTIVATIONS, WEIGHTS],
            default=ACTIVATIONS,
            format_func=str.capitalize,
            required=True,
            key="kind",
            bind="query-params",
            help="Activations are the layer's input for the picture chosen below.",
        )
        bits = st.slider("Bits", 2, 8, 2, key="bits", bind="query-params")
        picture = subject(choose_picture(), network.scale)
        if kind == WEIGHTS:
            layer, channel = _weight(network, site), ALL
        else:
            layer = activation(picture, quantizable(network, Settings(FP32.name)), site)
            channel = _choose_channel(layer, site)
        show_hub_state()
    return ChosenLayer(picture, network, site, kind or ACTIVATIONS, channel, bits, layer)


def _weight(network: LoadedNetwork, site: Site) -> Tensor:
    layer = network.sites.network.get_submodule(f"network.{site.layers[0]}")
    assert isinstance(layer.weight, Tensor)
    return layer.weight.detach()


def _choose_channel(layer: Tensor, site: Site) -> int:
    others = [axis for axis in range(layer.dim()) if axis != site.channel_dim]
    means = layer.abs().mean(others)
    typical = int((means - means.mean()).abs().argmin())
    channel = st.selectbox(
        "Channel",
        [ALL, *range(site.channels)],
        index=1 + typical,
        format_func=lambda c: "All channels" if c == ALL else f"Channel {c}",
        key="channel",
        bind="query-params",
        help="τ is learned for each channel, so it can be dragged where one channel is chosen. "
        "At first it is the one whose mean magnitude is nearest to the layer's.",
    )
    return ALL if channel is None or not ALL <= channel < site.channels else channel
