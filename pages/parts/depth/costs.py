"""What a depth costs: operations and bytes."""

import streamlit as st

from pages.parts.depth.sub_networks import sub_network_with_8bit_ends
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.pictures import Subject
from quantlib.tasks.super_networks import SubNetwork


def show_costs(name: str, picture: Subject, chosen: SubNetwork, full: SubNetwork) -> None:
    """Operations and bytes of the chosen depth and of all blocks, with ends of 32 and 8 bits."""
    kept = list(dict.fromkeys((chosen.kept, full.kept)))
    in_8_bit = [sub_network_with_8bit_ends(name, blocks, picture) for blocks in kept]
    in_fp32 = [chosen, full][: len(kept)]
    rows = [
        {
            "blocks": len(one.kept),
            "ends": ends,
            "PSNR, dB": one.psnr_y,
            "low-bit MACs, millions": one.macs.quantized / 1e6,
            "FP32 MACs, millions": one.macs.full / 1e6,
            "bit operations saved, in %": 100 * one.macs.saved,
            "weights, KiB": one.weights.total / 1024,
            "the same in FP32, KiB": one.weights.fp32 / 1024,
            "bytes saved, in %": 100 * (1 - one.weights.total / one.weights.fp32),
        }
        for ends, ones in (("FP32", in_fp32), ("8 bit", in_8_bit))
        for one in ones
    ]
    formats = {
        "PSNR, dB": "%.2f",
        "low-bit MACs, millions": "%.1f",
        "FP32 MACs, millions": "%.1f",
        "bit operations saved, in %": "%.1f",
        "weights, KiB": "%.1f",
        "the same in FP32, KiB": "%.1f",
        "bytes saved, in %": "%.1f",
    }
    with st.container(border=True):
        st.markdown("**What it costs**")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                column: st.column_config.NumberColumn(format=form)
                for column, form in formats.items()
            },
        )
        caption(
            "The counting rule: every convolution, linear layer and attention product "
            "counts, for this picture. Bit operations weigh a "
            "multiplication by the bits of both factors; saved is against the same blocks in FP32. "
            "Bytes are those of all weights and biases, packed with their steps where they have "
            "few bits. The ends are the convolutions outside the blocks: in "
            "FP32 as trained, or in 8 bits with ranges from this picture and no training. What is "
            "known of the counting behind published savings stands on the results page."
        )
