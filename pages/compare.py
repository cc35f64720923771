"""Up to six results of one picture under one lens."""

import streamlit as st

from pages.parts.compare.archive import archive
from pages.parts.compare.presets import PRESETS
from pages.parts.compare.table import as_csv, rows_of, title_of
from pages.parts.figures.viewer import Pane, viewer
from pages.parts.shared.notices import notice
from pages.parts.shared.start import start_page
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import measured_all, wait_for_greedy
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.reading import png_bytes
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import Measurement

start_page(
    "Compare",
    "Up to six results of one picture under one lens: one zoom, flicker, difference, values.",
)


def show(choices: Choices, found: dict[Settings, Measurement]) -> None:
    viewer(
        [pane(settings, made) for settings, made in found.items()],
        key="compare",
        alt=f"{choices.subject.title}, enlarged",
    )
    rows = rows_of(found)
    st.dataframe(rows, hide_index=True)
    table, pictures = st.columns(2)
    table.download_button(
        "Download the table as CSV",
        as_csv(rows),
        f"bitlens-compare-{choices.subject.source}-x{choices.network.scale}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )
    pictures.download_button(
        "Download all results as ZIP",
        lambda: archive(choices, found),
        f"bitlens-compare-{choices.subject.source}-x{choices.network.scale}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        width="stretch",
    )
    st.caption(
        f"{CONVENTION}. Times are of passes that simulate few bits in floating point: they say "
        "nothing of speed."
    )


def pane(settings: Settings, made: Measurement) -> Pane:
    size = made.ledger.total.total
    return Pane(
        title_of(settings), png_bytes(made.rgb), made.psnr_y, made.ssim_y, size, made.seconds
    )


with notice():
    choices = choose()
    if choices.settings.needs_ranking:
        wait_for_greedy(choices)
    preset = st.segmented_control(
        "Beside full precision",
        list(PRESETS),
        default=next(iter(PRESETS)),
        required=True,
        key="preset",
        bind="query-params",
    )
    columns = PRESETS[preset].columns(choices)
    if len(columns) == 1:
        st.info(PRESETS[preset].alone)
    else:
        found = measured_all(choices, columns, "Measuring")
        show(choices, dict(zip(columns, found, strict=True)))
        show_reproduce(choices)
