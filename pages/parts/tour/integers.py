"""Stop 10: integers that run."""

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures import crops
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.activations import activation
from pages.parts.super_resolution.measuring import measured, quantizable
from pages.parts.super_resolution.network_forms import rlq_bits
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.tour import learning
from pages.parts.tour.numbers import in_words, show_numbers
from pages.parts.tour.scene import Scene, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.ptq import Settings
from quantlib.ptq.methods import RLQ
from quantlib.qat.layers.quantized import QuantConv2d, scaled
from quantlib.runtime.choice import INTEGER, Runtime
from quantlib.tasks.super_resolution import Measurement

BITS = 4
APART = (1, 10)  # of 255, between one option and the next


def both(scene: Scene, bits: int) -> tuple[Measurement, Measurement]:
    """The picture as PyTorch simulates the bits, and as integers compute it."""
    settings = Settings(RLQ.name, bits)
    simulated = measured(scene.subject, scene.network, settings)
    return simulated, measured(scene.subject, scene.network, settings, Runtime(INTEGER))


def _bits(network: LoadedNetwork) -> int:
    offered = rlq_bits(network)
    return BITS if BITS in offered else offered[0]


def _apart(simulated: Measurement, integers: Measurement) -> tuple[int, float]:
    """The largest difference of two pixels, and the share of those that are equal."""
    difference = np.abs(simulated.rgb.astype(int) - integers.rgb)
    return int(difference.max()), float((difference == 0).mean())


def answer(scene: Scene) -> Answer:
    largest, equal = _apart(*both(scene, _bits(scene.network)))
    return Answer(
        sum(largest > limit for limit in APART),
        f"{equal:.2%} of all values are equal, and no two are more than {largest} apart.",
    )


def products(scene: Scene, bits: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Codes of activations and weights that one output of a layer sums up, and α_a·α_w."""
    network = quantizable(scene.network, Settings(RLQ.name, bits))
    for site in network.sites.sites:
        for layer in network.sites.layers(site).values():
            if isinstance(layer, QuantConv2d) and layer.activation is not None:
                x = scaled(activation(scene.subject, network, site), layer.input_scale)
                codes, weights = layer.activation.to_int(x), layer.encode_weight()
                side = layer.kernel_size[0]
                window = codes[0, :, :side, :side].numpy()
                scale = float(weights.scales[0])
                levels = (weights.decode()[0] / scale).round().int().numpy()
                step = float(layer.activation.grid(x).step)
                return window.ravel(), levels.ravel(), step * scale
    raise AssertionError("a network that was trained with RLQ has such a layer")


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    offered = rlq_bits(scene.network)
    with left:
        bits = st.segmented_control(
            "Bits of weights and activations",
            offered,
            default=_bits(scene.network),
            required=True,
            key="tour_rlq_bits",
            bind="query-params",
            help="The QuantSR networks that were trained at these bits.",
        )
        simulated, integers = both(scene, bits)
        with torch.no_grad():
            codes, levels, scale = products(scene, bits)
        total = int((codes.astype(np.int64) * levels).sum())
        some = np.flatnonzero(codes * levels)[:3]
        terms = " + ".join(f"{codes[i]}·({levels[i]})" for i in some)
        held, full = integers.weights.total, integers.weights.fp32
        show_numbers(
            f"one output: Σ codes · weights = {terms} + … = **{total}**, over {len(codes)} "
            "products of integers",
            f"times α of both, {in_words(scale)}: **{total * scale:.4f}**",
            f"weights: **{held / 1024:,.0f} KiB**, in FP32 {full / 1024:,.0f} KiB",
            f"simulated {simulated.psnr_y:.2f} dB, as integers **{integers.psnr_y:.2f} dB**",
        )
    with right:
        crop = crops.hardest_crop(simulated.rgb, bicubic(scene.subject, scene.network.scale))
        panels = {
            "Simulated": (simulated.rgb, f"{simulated.psnr_y:.2f} dB"),
            "As integers": (integers.rgb, f"{integers.psnr_y:.2f} dB"),
            f"Difference × {crops.ERROR_GAIN}": (
                crops.error_map(simulated.rgb, integers.rgb),
                "black where equal",
            ),
        }
        crops.show_row(
            [
                crops.Panel(crop.cut(rgb), title, said, f"Crop of the picture: {title}")
                for title, (rgb, said) in panels.items()
            ]
        )
        caption(
            f"{bits} bits for weights and activations inside the blocks; first and last layers "
            "stay in FP32 here."
        )
    return {"method": "RLQ", "rlq_bits": str(bits)}


def lacks(network: LoadedNetwork) -> str:
    return learning.lacks(network) or no_planes(network)


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.ptq import Settings\n"
        "from quantlib.runtime.choice import Runtime\n"
        "from quantlib.runtime.running import at_runtime\n"
        "from quantlib.tasks.super_resolution import (\n"
        "    default_pairs, measure, open_network, prepare, sites_of,\n"
        ")\n",
        f'settings = Settings("rlq", {_bits(scene.network)})\n'
        f"network = open_network({scene.network.name!r}, settings)\n"
        'simulated = prepare(sites_of(network, "rlq"), settings, default_pairs(network))\n'
        'for made in (simulated, at_runtime(simulated, Runtime("integer"))):\n'
        "    print(measure(made, low, network.scale, truth).psnr_y)\n",
        layers=False,
    )


STOP = Stop(
    "Integers that run",
    "So far few bits were simulated in floating point. Codes are whole numbers, so that a "
    "processor can multiply and add them as they are.",
    "The same network, computed with whole numbers. How far is any pixel from the simulated one, "
    "of 255?",
    (f"At most {APART[0]}", f"At most {APART[1]}", f"More than {APART[1]}"),
    answer,
    show,
    lines,
    "What was trained with few bits runs as integers, and gives the picture that was simulated.",
    "speed",
    "Speed: what integers gain here",
    lacks,
)
