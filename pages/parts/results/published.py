"""Published numbers: each in a column of its own, with its source."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.parts.results.comparison import benchmark_title
from pages.parts.shared.references import NOTHING, References
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.evaluation.published import (
    Caution,
    PublishedAccuracy,
    PublishedPSNR,
    read_published,
)

Measured = Mapping[tuple[str, float], Mapping[str, str]]
BENCHMARKS = ("set5", "set14", "b100", "urban100")


def show_published_psnr(measured: Measured, measured_scale: int) -> None:
    """Super-resolution at one scale.

    `measured` gives the PSNR measured here by (method, bits), then by benchmark.
    """
    published = read_published()
    st.markdown("**Published by others**")
    scales = sorted({row.scale for row in published.super_resolution})
    scale = st.segmented_control(
        "Scale",
        scales,
        default=scales[0],
        format_func=lambda scale: f"×{scale}",
        required=True,
        key="scale",
        bind="query-params",
    )
    rows = [row for row in published.super_resolution if row.scale == scale]
    references = References.of(rows)
    here = measured if scale == measured_scale else {}
    show_table(
        [psnr_cells(row, rows, references, here) for row in rows], f"Published PSNR at ×{scale}"
    )
    references.show()
    caption(
        "PSNR in dB. Where this page measured the same method at as many bits, its number stands "
        "in a column of its own: another network, other pictures to learn from and far fewer "
        "steps, so the two columns are not a ranking."
    )
    show_cautions(published.cautions, "learned")


def psnr_cells(
    row: PublishedPSNR,
    rows: Sequence[PublishedPSNR],
    references: References,
    measured: Measured,
) -> dict[str, str]:
    """One line of the table: a column per benchmark, and one more where something was measured."""
    cells = {"method": row.method, "bits": f"{row.bits:g}", "network": row.network}
    here = measured.get((row.method, row.bits), {})
    for name in BENCHMARKS:
        title = benchmark_title(name)
        if any(name in other.psnr_y for other in rows):
            score = row.psnr_y.get(name)
            cells[f"{title}, published"] = NOTHING if score is None else decimals(score)
        if any(name in scores for scores in measured.values()):
            cells[f"{title}, measured here"] = here.get(name, NOTHING)
    cells["training, published"] = row.training or "not stated"
    return {**cells, "source": references.to(row)}


def decimals(score: float) -> str:
    """Two decimals, or the three that were published.

    >>> decimals(32.1), decimals(32.095)
    ('32.10', '32.095')
    """
    return f"{score:.3f}".removesuffix("0")


def show_published_accuracy() -> None:
    """Classification with 3-bit activations."""
    published = read_published()
    st.markdown("**Published by others: 3-bit activations in networks that classify**")
    rows = published.classification
    references = References.of(rows)
    methods = list(dict.fromkeys(method for row in rows for method in row.accuracy))
    show_table(
        [accuracy_cells(row, methods, references) for row in rows], "Published top-1 accuracy in %"
    )
    references.show()
    caption(
        "Top-1 accuracy in %; eDQA is the longer paper on DQA by its authors, with m = 3 and "
        "r = 0.4 (0.55 for ResNet-18). These are other tasks and other networks than those "
        "measured here, so nothing here can be set against them."
    )
    show_cautions(published.cautions, "dqa")


def accuracy_cells(
    row: PublishedAccuracy, methods: Sequence[str], references: References
) -> dict[str, str]:
    scores = {
        f"{method}, published": f"{row.accuracy[method]:.2f}" if method in row.accuracy else NOTHING
        for method in methods
    }
    return {"network": row.network, **scores, "source": references.to(row)}


def show_cautions(cautions: Sequence[Caution], about: str) -> None:
    st.markdown("**Before these numbers are set beside others**")
    st.markdown(
        "\n".join(f"* {one.text} :gray[{one.source}]" for one in cautions if one.about == about)
    )
