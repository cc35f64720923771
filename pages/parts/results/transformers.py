"""Quantizers for the bundled transformer: found after its training, or learned in it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.parts.figures import charts
from pages.parts.results import comparison_charts
from pages.parts.results.comparison import benchmark_title, lines_for
from pages.parts.results.comparison_view import csv_of
from pages.parts.results.network_cards import cards
from pages.parts.results.run_cards import show_cards
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.start import ASSETS
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.models.card import NetworkCard
from quantlib.training.comparison.plan import read_plan, read_results
from quantlib.training.comparison.summary import PTQ, QAT, Row, Score, label_of, name_of, rows_of

RESULTS = ASSETS / "results" / "transformer-x2.json"
PLAN = ASSETS / "plans" / "transformer-x2.toml"
FAMILY = "builtin:quantsr-t-x2"
BUNDLED = "QuantSR-T, bundled"


def show_transformers() -> None:
    results = read_results(RESULTS)
    planned = read_plan(PLAN).recipes()
    if missing := sum(recipe.name not in results for recipe in planned):
        st.info(
            f"{missing} of the {len(planned)} runs are not here yet: `make transformers` makes "
            "them, then copy `runs/transformer-x2.json` to `assets/results/`.",
            icon=":material/hourglass_empty:",
        )
    if not results:
        return
    chosen, bits, benchmark = _choose(rows_of(results.values()))
    network = cards().get(f"{FAMILY}-w{bits}a{bits}")
    full = psnr_in_full_precision()
    st.subheader(sentence(chosen, network, full, benchmark), anchor=False)
    chart, table = st.columns([2, 3], gap="medium")
    with chart:
        figures = {
            name_of(row.run): [
                one.mean(benchmark) for one in results.values() if label_of(one.run) == row.label
            ]
            for row in chosen
        }
        if network:
            figures[BUNDLED] = [network.scores["full"][benchmark]]
        figure = comparison_charts.scores_over_seeds(figures, BUNDLED, full.get(benchmark))
        title = benchmark_title(benchmark)
        charts.draw(figure, f"PSNR on {title} at W{bits}A{bits} by method", "transformers")
    with table:
        show_table(table_of(chosen, network), f"PSNR measured here, W{bits}A{bits}")
        caption(
            "In each bracket the difference from the bundled network in full precision. Methods "
            "after training see a handful of pictures for seconds or minutes; those in training "
            "learn all weights: two regimes, read the column before ranking across it. Mean ± "
            "standard deviation where there are several seeds."
        )
    caption(
        f"Quantized in all rows: {chosen[0].run.layers}. Learned here: "
        f"{next((r.run.summary for r in chosen if r.quantized == QAT), 'nothing yet')}; the "
        "bundled network was trained longer, at three depths at once, as its card says."
    )
    show_cards({name: result.run for name, result in results.items()})
    st.download_button(
        "Download the PSNR of every picture, run by run",
        csv_of(results),
        "transformer.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    show_code("make transformers", lines_for(RESULTS))


def sentence(
    rows: Sequence[Row], network: NetworkCard | None, full: Mapping[str, float], benchmark: str
) -> str:
    """What was measured, in one sentence."""
    after = [row for row in rows if row.quantized == PTQ]
    said = []
    if after:
        first = max(after, key=lambda row: row.psnr_y[benchmark].mean)
        score = first.psnr_y[benchmark]
        said.append(
            f"Of {len(after)} methods after training {name_of(first.run)} keeps most, {score} dB"
        )
    if network:
        said.append(f"the bundled QuantSR-T has {network.scores['full'][benchmark]:.2f} dB")
    if benchmark in full:
        said.append(f"full precision {full[benchmark]:.2f} dB")
    text = ", ".join(said) or "Nothing was run"
    return f"{text[:1].upper()}{text[1:]} on {benchmark_title(benchmark)}, measured here."


def table_of(rows: Sequence[Row], network: NetworkCard | None) -> list[dict[str, str]]:
    """A line per method, after training first, and one for the bundled network."""
    full = psnr_in_full_precision()
    ordered = sorted(rows, key=lambda row: row.quantized != PTQ)
    lines = []
    for row in ordered:
        lines.append(_line(name_of(row.run), row.quantized, row.psnr_y, full, _about(row)))
    if network:
        run = network.training
        about = {"seeds": "1", "steps": f"{run['steps']:,}", "minutes": f"{60 * run['hours']:.1f}"}
        alone = {name: Score(psnr, None) for name, psnr in network.scores["full"].items()}
        lines.append(_line(BUNDLED, QAT, alone, full, about))
    return lines


def psnr_in_full_precision() -> Mapping[str, float]:
    """What the card of the network in full precision says, by benchmark."""
    card = cards().get(f"{FAMILY}-fp32")
    return card.psnr_y if card else {}


def _about(row: Row) -> dict[str, str]:
    return {
        "seeds": str(row.seeds),
        "steps": f"{row.run.steps:,}",
        "minutes": f"{row.minutes:.1f}",
    }


def _line(
    method: str,
    quantized: str,
    figures: Mapping[str, Score],
    full: Mapping[str, float],
    about: Mapping[str, str],
) -> dict[str, str]:
    shown = {
        f"{benchmark_title(name)} in dB, measured here": str(score)
        + (f" ({score.mean - full[name]:+.2f})" if name in full else "")
        for name, score in figures.items()
    }
    return {"method": method, "quantized": quantized, **shown, **about}


def _choose(rows: Sequence[Row]) -> tuple[list[Row], int, str]:
    """The rows of one bit-width, the bits, and the benchmark that orders them."""
    widths = sorted({row.bits for row in rows})
    with st.container(horizontal=True):
        bits = st.segmented_control(
            "Bits",
            widths,
            default=widths[-1],
            format_func=lambda bits: f"W{bits}A{bits}",
            required=True,
            key="transformer_bits",
            bind="query-params",
            help="Bits of weights (W) and activations (A) in the linear layers.",
        )
        bits = bits if bits in widths else widths[-1]
        benchmarks = list(rows[0].psnr_y)
        benchmark = st.segmented_control(
            "Shown",
            benchmarks,
            default=benchmarks[0],
            format_func=benchmark_title,
            required=True,
            key="transformer_benchmark",
            bind="query-params",
            help="The benchmark of the sentence and the chart; the table shows all.",
        )
    benchmark = benchmark if benchmark in benchmarks else benchmarks[0]
    return [row for row in rows if row.bits == bits], bits, benchmark
