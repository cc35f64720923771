"""DQA's comparison: measured here on super-resolution, published on classification."""

import streamlit as st

from pages.parts.results.published import show_published_accuracy
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.networks import DEFAULT, loaded
from pages.parts.super_resolution.pictures import subject
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.super_resolution.waiting import measured_all
from quantlib.imaging.samples import SAMPLES
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.tasks.super_resolution import Measurement

CHOSEN = Settings("dqa", bits=3, extra_bits=3, important=0.4)
DIRECT, NEXT = Settings("direct", bits=3), Settings("direct", bits=4)
BESIDE = (Settings("fp32"), DIRECT, NEXT, Settings("pot", bits=3))


def show_dqa() -> None:
    network = loaded(DEFAULT)
    choices = Choices(subject(SAMPLES[0].key, network.scale), network, CHOSEN)
    noisy = st.toggle(
        "Search NoisyQuant too",
        key="noisy",
        bind="query-params",
        help="Its noise is searched layer by layer, which takes some seconds.",
    )
    settings = [*BESIDE, *[Settings("noisyquant", bits=3)] * noisy, CHOSEN]
    measured = measured_all(choices, settings, "Measuring")
    found = dict(zip(settings, measured, strict=True))
    st.subheader(sentence(found[CHOSEN], found[DIRECT], found[NEXT]), anchor=False)
    show_table([cells(one, m) for one, m in found.items()], "DQA and others, measured here")
    caption(
        f"Measured just now: {choices.subject.title} through {network.name}, post-training, "
        f"activations only. DQA with m = {CHOSEN.extra_bits}, r = {CHOSEN.important:g}, channels "
        f"ranked by {CRITERIA[CHOSEN.criterion].title}. Bytes are the length of what would be "
        "stored. "
        "The [Memory page](memory) measures other bits, ratios and pictures."
    )
    show_published_accuracy()
    show_reproduce(choices)


def sentence(dqa: Measurement, direct: Measurement, more: Measurement) -> str:
    """DQA against direct quantization with as many bits n, and with one more."""
    gain = (dqa.psnr_y or 0.0) - (direct.psnr_y or 0.0)
    word = "above" if gain >= 0 else "below"
    return (
        f"{CHOSEN.summary} is {abs(gain):.2f} dB {word} {DIRECT.summary} quantization and takes "
        f"{dqa.ledger.bits_per_activation:.2f} bits per activation instead of "
        f"{direct.ledger.bits_per_activation:.2f}; with {more.ledger.bits_per_activation:.2f} bits "
        f"direct quantization reaches {more.psnr_y or 0.0:.2f} dB against DQA's "
        f"{dqa.psnr_y or 0.0:.2f}, measured here."
    )


def cells(settings: Settings, result: Measurement) -> dict[str, str]:
    """One line of the table."""
    return {
        "method": settings.entry.title,
        "bits n": str(settings.bits) if settings.entry.quantizes else "32",
        "PSNR in dB, measured here": f"{result.psnr_y or 0.0:.2f}",
        "bits per activation, measured here": f"{result.ledger.bits_per_activation:.2f}",
        "KiB, measured here": f"{result.ledger.total.total / 1024:,.0f}",
    }
