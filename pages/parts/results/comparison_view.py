"""The measured side of the comparison: ranking, ablation, and two methods picture by picture."""

import csv
import io
from collections.abc import Mapping

import streamlit as st

from pages.parts.figures import charts
from pages.parts.results import comparison_charts
from pages.parts.results.comparison import Comparison, benchmark_title, in_words
from pages.parts.results.run_cards import show_cards
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.evaluation.paired import Paired
from quantlib.models.catalogue import card_of
from quantlib.training.comparison.plan import Result
from quantlib.training.comparison.summary import Row, name_of


def show_comparison(found: list[Comparison]) -> None:
    chosen, benchmark = _choose(found)
    st.subheader(chosen.ranking(benchmark), anchor=False)
    _show_rows(chosen, chosen.methods, benchmark, "RLQ", "methods")
    for one in found:
        if one.ablation:
            st.markdown(f"**The 2³ ablation of RLQ at {one.bits}, measured here**")
            _show_rows(one, one.ablation, benchmark, "RLQ", "ablation")
            caption(
                "φ is the soft rounding of the gradient, τ the shift of each channel. "
                "A step that is not learned stays where LSQ starts it; with the learned step "
                "alone, RLQ is LSQ, and LSQ's runs stand for it."
            )
    _show_pair(chosen)


def show_runs(results: Mapping[str, Result]) -> None:
    """The run cards in full, and every score to download."""
    show_cards({name: result.run for name, result in results.items()})
    st.download_button(
        "Download the PSNR of every picture, run by run",
        csv_of(results),
        "comparison.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def csv_of(results: Mapping[str, Result]) -> str:
    """One line per run and picture."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "run",
            "method",
            "weight_bits",
            "activation_bits",
            "seed",
            "benchmark",
            "picture",
            "psnr_y",
        ]
    )
    for name, result in results.items():
        run = result.run
        about = [name, name_of(run), run.weight_bits, run.activation_bits, run.seed]
        for benchmark, scores in result.psnr_y.items():
            writer.writerows([*about, benchmark, i, psnr] for i, psnr in enumerate(scores, 1))
    return text.getvalue()


def _choose(found: list[Comparison]) -> tuple[Comparison, str]:
    by_bits = {one.bits: one for one in found}
    with st.container(horizontal=True):
        bits = st.segmented_control(
            "Bits",
            list(by_bits),
            default=next(iter(by_bits)),
            required=True,
            key="width",
            bind="query-params",
            help="Bits of weights (W) and activations (A) in the convolutions of the blocks.",
        )
        chosen = by_bits.get(bits or "", found[0])
        benchmarks = list(chosen.results[0].psnr_y)
        benchmark = st.segmented_control(
            "Ordered by",
            benchmarks,
            default=benchmarks[0],
            format_func=benchmark_title,
            required=True,
            key="benchmark",
            bind="query-params",
            help="The benchmark of the sentence and the charts; the tables show all.",
        )
    return chosen, benchmark if benchmark in benchmarks else benchmarks[0]


def _show_rows(
    comparison: Comparison, rows: list[Row], benchmark: str, marked: str, key: str
) -> None:
    ordered = sorted(rows, key=lambda row: -row.psnr_y[benchmark].mean)
    scores = {
        name_of(row.run): [r.mean(benchmark) for r in comparison.of(name_of(row.run)).values()]
        for row in rows
    }
    chart, table = st.columns([5, 6], gap="medium")
    with chart:
        figure = comparison_charts.scores_over_seeds(scores, marked, _start(rows[0], benchmark))
        title = benchmark_title(benchmark)
        charts.draw(
            figure, f"Mean PSNR on {title} and deviation over seeds, {comparison.bits}", key
        )
    with table:
        show_table(
            [_cells(row, parts=key == "ablation") for row in ordered],
            f"PSNR measured here, {comparison.bits}",
        )
        seeds = {row.seeds for row in rows}
        if seeds == {1}:
            caption("One seed each, so there is no deviation.")
        else:
            caption(
                "Mean ± standard deviation over the seeds. Minutes are by the clock of a machine "
                "that did other work too; `make bench` compares the cost of a step."
            )


def _cells(row: Row, parts: bool) -> dict[str, str]:
    run = row.run
    if parts:
        on = {"φ": run.k > 0, "τ": run.use_shift, "learned step": run.learn_step}
        if run.method == "lsq":
            on = {"φ": False, "τ": False, "learned step": True}
        first = {part: "on" if is_on else "off" for part, is_on in on.items()}
    else:
        first = {"method": name_of(run)}
    scores = {
        f"{benchmark_title(name)} in dB, measured here": str(score)
        for name, score in row.psnr_y.items()
    }
    return {**first, **scores, "seeds": str(row.seeds), "minutes each": f"{row.minutes:.1f}"}


def _start(row: Row, benchmark: str) -> float | None:
    """PSNR of the bundled network that the runs began with."""
    card = card_of(row.run.warm_start)
    return card.psnr_y.get(benchmark) if card else None


def _show_pair(comparison: Comparison) -> None:
    names = comparison.names
    if len(names) < 2:
        return
    st.markdown(f"**Two methods, picture by picture, at {comparison.bits}**")
    left, right, _ = st.columns([2, 2, 3], gap="medium")
    one = left.selectbox("Method", names, key="one", bind="query-params")
    others = [name for name in names if name != one]
    other = right.selectbox("minus", others, key="other", bind="query-params")
    pairs = comparison.over_pictures(one, other)
    if not pairs:
        caption(f"{one} and {other} have no seed in common yet; choose another pair.")
        return
    titled = {benchmark_title(name): found for name, found in pairs.items()}
    charts.draw(
        comparison_charts.differences(titled), f"PSNR of {one} minus {other}, by picture", "pair"
    )
    seeds = len(comparison.of(one).keys() & comparison.of(other).keys())
    st.markdown(pair_sentence(one, other, Paired(sum((p.differences for p in pairs.values()), ()))))
    caption(
        f"Each bar is the difference of the means over {in_words(seeds)}, the dotted line the mean "
        "of all; the pictures stand in the order of their file names. The test asks whether other "
        "pictures would show the difference too, and says nothing about other seeds."
    )


def pair_sentence(one: str, other: str, found: Paired) -> str:
    """Mean, standard error, sign count and test of the differences over pictures."""
    count = len(found.differences)
    error = found.standard_error
    spread = "" if error is None else f", standard error {error:.3f} dB"
    p = found.p_value
    test = (
        "no picture differs" if p is None else f"Wilcoxon signed-rank test, two-sided: p = {p:.2g}"
    )
    return (
        f"{one} minus {other} is {found.mean:+.3f} dB on average over {count} pictures{spread}; "
        f"{one} is above on {found.above} of them. {test[:1].upper()}{test[1:]}."
    )
