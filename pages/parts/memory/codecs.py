"""Codecs and latency of the chosen DQA, measured when a visitor asks for it."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pages.parts.shared.caching import shared
from pages.parts.shared.progress import in_turn
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.measuring import quantized
from pages.parts.super_resolution.network_forms import weights_for
from pages.parts.super_resolution.sidebar import Choices
from quantlib.coding.codecs import CODECS, RAW
from quantlib.evaluation.codecs import CodecComparison, CodedSymbols, compare_codecs, together
from quantlib.evaluation.latency import LayerLatency, all_layers, measure_latency
from quantlib.imaging.tensors import to_tensor

T = TypeVar("T")
STAGE_TITLES = {
    "quantize": "quantize",
    "shift": "shift and mask",
    "encode": "encode and pack",
    "decode": "decode and unpack",
    "dequantize": "de-quantize",
}
TITLES = {codec.name: codec.title for codec in CODECS}


def show_codecs(choices: Choices) -> None:
    """The same symbols under every codec."""
    st.subheader("Codecs", anchor=False)
    st.markdown(
        "DQA codes its shifting errors with Huffman, channel by channel. Here are other lossless "
        "codecs on the same symbols: real bytes, decoded again and equal."
    )
    _show_on_demand(choices, "Compare the codecs", compare_codecs, _show_comparison)


def show_latency(choices: Choices) -> None:
    """What every stage costs beside the layer itself."""
    st.subheader("Latency", anchor=False)
    st.markdown(
        "Quantize, shift, encode, decode, de-quantize: the time of every stage beside that of the "
        "layer's own convolution, in the same run."
    )
    _show_on_demand(choices, "Time the stages", measure_latency, _show_stages)


def _show_on_demand(
    choices: Choices, title: str, work: Callable[..., T], show: Callable[[T], None]
) -> None:
    """What `work` finds for these choices, once a visitor has asked; before that the button."""
    network = choices.network
    weights = weights_for(network, choices.settings)
    key = (title, choices.subject.digest, network.name, weights, choices.settings)
    found = _found.known(key)
    if found is None:
        place = st.empty()
        if not place.button(title, icon=":material/play_arrow:", key=f"{title} button"):
            return
        place.empty()
        prepared = quantized(choices.network, choices.settings)
        low = to_tensor(choices.subject.low)
        found = in_turn(lambda watch: _found(key, lambda: work(prepared, low, watch=watch)), title)
    show(found)  # type: ignore[arg-type]


@shared(megabytes=16)
def _found(key: tuple, _work: Callable[[], object]) -> object:
    return _work()


def _show_comparison(found: CodecComparison) -> None:
    for title, sites in (("Shifting errors", found.errors), ("Base codes", found.codes)):
        if sites:
            total = together(sites)
            st.markdown(f"**{title}:** {total.symbols:,} symbols. {total.verdict}")
            show_table(_codec_rows(total), f"Codecs on the {title.lower()}")
    for sentence in found.missing.values():
        caption(sentence)
    caption(
        "Speed is that of this implementation on one core of this machine; × is relative to "
        "packing in the same run. The entropy takes symbols as independent; Deflate, Zstandard "
        "and zero runs also see what stands beside what."
    )
    with st.expander("Entropy layer by layer", icon=":material/table_chart:"):
        errors = {one.site: one for one in found.errors}
        show_table(
            [
                {
                    "Layer": codes.site,
                    "Shifting errors": _entropy(errors.get(codes.site)),
                    "Base codes": _entropy(codes),
                }
                for codes in found.codes
            ],
            "Entropy of the symbols of every layer",
        )


def _codec_rows(total: CodedSymbols) -> list[dict[str, str]]:
    raw = total.codecs[RAW.name].bytes
    return [
        {
            "Codec": TITLES[name],
            "Bytes": f"{codec.bytes:,}",
            "Of packed": f"{codec.bytes / raw:.0%}" if raw else "–",
            "Bits per symbol": f"{total.bits_per_symbol(name):.3f}",
            "Encode": _speed(total.encode_rate, name),
            "Decode": _speed(total.decode_rate, name),
        }
        for name, codec in total.codecs.items()
    ]


def _speed(rate: Callable[[str], float], name: str) -> str:
    packing = rate(RAW.name)
    relative = f"{rate(name) / packing:.2f} ×" if packing else "–"
    return f"{relative} ({rate(name) / 1e6:,.0f} million/s)"


def _entropy(symbols: CodedSymbols | None) -> str:
    if symbols is None or not symbols.symbols:
        return "none"
    saved = "nothing to save" if symbols.nothing_to_save else f"−{symbols.can_be_saved:.0%}"
    return f"{symbols.entropy:.2f} of {symbols.bits} bits, {saved}"


def _show_stages(layers: list[LayerLatency]) -> None:
    total = all_layers(layers)
    show_table(
        [
            {
                "Stage": STAGE_TITLES[name],
                "Time": f"{1000 * stage.seconds:,.1f} ms",
                "Of the layers' time": f"{total.time_ratio(name):.3f} ×",
                "Operations": f"{stage.operations:,}",
                "Of the layers' MACs": f"{total.operation_ratio(name):.3%}",
            }
            for name, stage in total.stages.items()
        ],
        "Stages of DQA over all layers",
    )
    caption(
        f"All {len(layers)} sites together; their layers take {1000 * total.layer.seconds:,.1f} ms "
        f"for {total.layer.operations:,} multiply-accumulates on one core, on this machine. "
        "The stages run in floating point and NumPy: their time is no forecast of an integer "
        "implementation."
    )
    with st.expander("Layer by layer", icon=":material/table_chart:"):
        show_table(
            [
                {
                    "Layer": layer.site,
                    "Layer itself": f"{1000 * layer.layer.seconds:,.2f} ms",
                    **{
                        STAGE_TITLES[name]: f"{1000 * stage.seconds:,.2f} ms, "
                        f"{layer.time_ratio(name):.2f} ×"
                        for name, stage in layer.stages.items()
                    },
                }
                for layer in layers
            ],
            "Stages of DQA layer by layer",
        )
