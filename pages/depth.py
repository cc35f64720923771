"""One super-network, any depth: what each block is worth."""

from statistics import fmean, stdev

import streamlit as st

from pages.parts.depth import charts as depth_charts
from pages.parts.depth.sub_networks import (
    loaded_super_network,
    sub_network_with_8bit_ends,
    sub_networks,
    super_networks,
    trained_alone,
)
from pages.parts.figures import charts, crops
from pages.parts.shared.notices import notice
from pages.parts.shared.start import start_page
from pages.parts.super_resolution.pictures import Subject, bicubic, choose_picture, subject
from pages.parts.super_resolution.reproduce import show_code
from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.models import SRNetwork
from quantlib.qat.depth import DEPTHS, kept_blocks
from quantlib.tasks.super_networks import SubNetwork, random_blocks, skip_order, super_network

start_page(
    "Depth",
    "QuantSR's depth-dynamic architecture: one network, trained at three depths at once. Skip as "
    "many blocks as you like and see what the picture loses.",
)

DRAWS = 5


def choose() -> tuple[str, Subject, SRNetwork, int]:
    """Network, picture and the number of blocks that are kept."""
    known = super_networks()
    if not known:
        raise QuantlibError("No super-network is bundled; train one with assets/recipes.")
    with st.sidebar:
        picture = choose_picture()
        name = st.selectbox(
            "Super-network",
            list(known),
            key="super_network",
            bind="query-params",
            help="QuantSR networks, trained here: C has convolutions, T is a transformer. W4A4 has "
            "weights and activations of 4 bits.",
        )
        st.caption(known[name].title)
        network = loaded_super_network(name)
        blocks = len(super_network(network).residual_blocks)
        kept = st.slider(
            "Blocks that are kept",
            1,
            blocks,
            blocks // 2,
            key="blocks",
            bind="query-params",
            help="Blocks with the largest learned shortcuts are skipped first.",
        )
        marks = {len(kept_blocks(range(blocks), depth)): depth for depth in DEPTHS}
        st.caption(f"Trained depths: {', '.join(f'{n} ({d})' for n, d in marks.items())}.")
        return name, subject(picture, network.scale), network, kept


def show(name: str, picture: Subject, network: SRNetwork, count: int) -> None:
    inner = super_network(network)
    skipped_first = skip_order(network)
    order, blocks = skipped_first[::-1], len(skipped_first)
    by_order = {n: tuple(sorted(order[:n])) for n in range(1, blocks + 1)}
    drawn = [random_blocks(blocks, count, seed) for seed in range(DRAWS)]
    alone = {
        depth: (other, by_order[blocks // DEPTHS[depth]])
        for depth, other in trained_alone(name).items()
    }
    wanted = [(name, kept) for kept in (*by_order.values(), *drawn)]
    found = sub_networks(picture, [*wanted, *alone.values()], "Measuring every depth")
    curve = dict(zip(by_order, found, strict=False))
    random = found[blocks : blocks + DRAWS]
    separate = dict(zip(alone, found[blocks + DRAWS :], strict=True))
    chosen, full = curve[count], curve[blocks]

    st.subheader(sentence(chosen, full, random, blocks), anchor=False)
    show_crops(picture, network, chosen, full)
    bars, quality = st.columns(2, gap="medium", border=True)
    with bars:
        st.markdown("**Which blocks are kept**")
        shortcuts = inner.shortcuts.tolist()
        charts.draw(
            depth_charts.shortcut_bars(shortcuts, chosen.kept),
            "Learned shortcut of every block, kept blocks highlighted",
            "shortcuts",
        )
        st.caption(
            "The learned shortcut s of each block, y = s·x + body(x). A large s says that x passes "
            f"well without the body. Skipped in this order: {', '.join(map(str, skipped_first))}."
        )
    with quality:
        st.markdown("**What the picture loses**")
        if picture.truth is None:
            st.caption("PSNR needs the truth: use your picture as the truth in the sidebar.")
        else:
            charts.draw(
                depth_charts.depth_curve(curve, count, random, separate),
                "PSNR over the number of blocks kept",
                "depths",
            )
            st.caption(
                f"Grey: {DRAWS} random draws of {count} blocks. "
                + (
                    "Diamonds: the same blocks trained by themselves, as many steps. "
                    if separate
                    else ""
                )
                + "Only the three trained depths were ever part of the loss."
            )
    show_costs(name, picture, chosen, full)
    depth = next((d for d in DEPTHS if blocks // DEPTHS[d] == count), None)
    show_code(command(name, picture, network.scale, depth), python_lines(name, picture, chosen))


def sentence(chosen: SubNetwork, full: SubNetwork, random: list[SubNetwork], blocks: int) -> str:
    """What was measured, in one sentence."""
    share = f"{len(chosen.kept)} of {blocks} blocks"
    saved = f"{chosen.macs.quantized / full.macs.quantized:.0%} of the low-bit multiplications"
    if chosen.psnr_y is None or full.psnr_y is None:
        return f"{share} take {saved}."
    drawn = [one.psnr_y or 0.0 for one in random]
    against = f"; {DRAWS} random draws give {fmean(drawn):.2f} ± {stdev(drawn):.2f} dB"
    against = "" if len(chosen.kept) == blocks else against
    return f"{share} keep {chosen.psnr_y:.2f} of {full.psnr_y:.2f} dB with {saved}{against}."


def show_crops(picture: Subject, network: SRNetwork, chosen: SubNetwork, full: SubNetwork) -> None:
    floor = bicubic(picture, network.scale)
    reference = full.rgb if picture.truth is None else picture.truth
    crop = crops.crop_from_address(reference, floor)
    shown = {
        f"{len(chosen.kept)} blocks": chosen.rgb,
        f"All {len(full.kept)} blocks": full.rgb,
        "Bicubic": floor,
    }
    if picture.truth is not None:
        shown["Truth"] = picture.truth
    panels = []
    for title, rgb in shown.items():
        known = picture.truth is not None and title != "Truth"
        figures = f"{psnr_y(rgb, reference, network.scale):.2f} dB" if known else ""
        panels.append(crops.Panel(crop.cut(rgb), title, figures, f"Crop: {title}"))
    gone = crops.error_map(chosen.rgb, full.rgb)
    panels.append(
        crops.Panel(
            crop.cut(gone), f"Difference × {crops.ERROR_GAIN}", "to all blocks", "Difference map"
        )
    )
    crops.show_row(panels)
    st.caption(f"{CONVENTION}.")


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
            "low-bit MACs": one.macs.quantized,
            "FP32 MACs": one.macs.full,
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
        "low-bit MACs": "localized",
        "FP32 MACs": "localized",
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
        st.caption(
            "The counting rule: every convolution, linear layer and attention product "
            "counts, for this picture. Bit operations weigh a "
            "multiplication by the bits of both factors; saved is against the same blocks in FP32. "
            "Bytes are those of all weights and biases, packed with their steps where they have "
            "few bits. The ends are the convolutions outside the blocks: in "
            "FP32 as trained, or in 8 bits with ranges from this picture and no training. What is "
            "known of the counting behind published savings stands on the results page."
        )


def command(name: str, picture: Subject, scale: int, depth: str | None) -> str | None:
    """The command line for a trained depth of a sample photograph."""
    if depth is None or picture.truth is None:
        return None
    return (
        f"python -m quantlib evaluate --model {name} --sample {picture.source} "
        f"--scale {scale} --depth {depth} --json"
    )


def python_lines(name: str, picture: Subject, chosen: SubNetwork) -> str:
    return (
        "from quantlib.tasks.super_networks import through_blocks\n"
        "from quantlib.models import load\n"
        "from quantlib.tasks.super_resolution import reduced, sample_for\n\n"
        f"network = load({name!r})\n"
        f"low, truth = reduced(sample_for({picture.source!r}, network.scale), network.scale)\n"
        f"print(through_blocks(network, {list(chosen.kept)}, low, truth).psnr_y)\n"
    )


with notice():
    show(*choose())
