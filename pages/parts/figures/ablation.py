"""The ablation, measured here: what criterion, ratio and bits of DQA buy, and at what bytes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.ablation.plan import AblationPlan, baselines, ranked_lines, read_plan
from quantlib.ablation.summary import Row, Summary
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.methods import METHODS
from quantlib.shipped import ASSETS
from quantlib.tasks.bench import BenchPlan
from quantlib.tasks.task import TASKS

PLAN, RESULTS = ASSETS / "plans" / "ablation.toml", ASSETS / "results" / "ablation.json"
PAPER = 3, 3
SWEEPS = {
    "important ratio r": ("r", "important ratio r, at n = 3 and m = 3"),
    "extra bits m": ("m", "extra bits m, at n = 3 and r = 0.4"),
    "bits n": ("n", "bits n, at m = 3 and r = 0.4"),
}
LINES = """\
from quantlib.ablation.summary import Summary
from quantlib.shipped import ASSETS

summary = Summary.read(ASSETS / "results" / "ablation.json")
for row in summary.of(summary.benches[0]):
    print(row.method, row.n, row.m, row.r, row.title, row.bits)
"""


def show_ablation() -> None:
    """Choose a network; sweep, equal bytes, correlations and the whole table."""
    summary, plan = Summary.read(RESULTS), read_plan(PLAN)
    if not summary.rows:
        st.info("No ablation has been measured yet; `make ablation` measures it.")
        return
    if missing := what_is_missing(summary, plan):
        st.info(missing, icon=":material/hourglass_empty:")
    name = st.selectbox("Network and task", summary.benches, key="bench", bind="query-params")
    bench = next(one for one in plan.benches if one.name == (name or summary.benches[0]))
    rows, unit = summary.of(bench.name), TASKS[bench.task].unit
    st.markdown(f"**{verdict(rows, unit)}**")
    sweep, equal = st.columns(2, gap="medium", border=True)
    with sweep:
        show_sweep(rows, unit)
    with equal:
        show_equal_bytes(rows, unit)
    show_correlations(summary, bench.name)
    show_rows(rows, unit)
    caption(conditions(bench, plan))
    show_code("make ablation", LINES)


def what_is_missing(summary: Summary, plan: AblationPlan) -> str:
    """A sentence on what of the plan has not been measured; nothing where all is there."""
    wanted = {(t.bench, t.method, t.seed, t.settings) for t in plan.trials()}
    measured = sum(row.seeds for row in summary.rows)
    if measured >= len(wanted):
        return ""
    absent = [one.name for one in plan.benches if one.name not in summary.benches]
    named = f" Not yet begun: {', '.join(absent)}." if absent else ""
    return f"{measured} of {len(wanted)} points of the plan have been measured so far.{named}"


def verdict(rows: Sequence[Row], unit: str) -> str:
    """The paper's setting against uniform quantization at equal bytes, in words."""
    by_criterion = {row.method: row for row in rows if is_at(row) and row.method in CRITERIA}
    if "fisher" not in by_criterion:
        return "The paper's setting (n = 3, m = 3, r = 0.4) has not been measured here."
    row = by_criterion["fisher"]
    highest = max(by_criterion.values(), key=lambda row: row.quality)
    parts = []
    for name, difference in row.against.items():
        if difference is None:
            continue
        word = "loses to" if difference < 0 else "gains on"
        parts.append(f"{word} {_named(name)} by {abs(difference):.2f}")
    told = "; at equal bytes it " + ", ".join(parts) if parts else ""
    return (
        f"DQA (3, 3, r = 0.4), ranked by Fisher, has {row.title} {unit} at {row.bits:.2f} bits per "
        f"activation{told}. Of the criteria {highest.method} keeps most, {highest.title}."
    )


def is_at(row: Row, n: int = 3, m: int = 3, r: float = 0.4) -> bool:
    return (row.n, row.m, row.r) == (n, m, r)


def show_sweep(rows: Sequence[Row], unit: str) -> None:
    """Quality over one of DQA's numbers, a line per criterion."""
    chosen = st.segmented_control(
        "Vary", list(SWEEPS), default="important ratio r", required=True, key="vary"
    )
    name, title = SWEEPS[chosen or "important ratio r"]
    others = {"n": 3, "m": 3, "r": 0.4}
    others.pop(name)
    figure = go.Figure()
    for method in dict.fromkeys(row.method for row in rows if row.is_dqa):
        line = [r for r in rows if r.method == method and fits(r, others)]
        line.sort(key=lambda row: getattr(row, name))
        deviations = [row.deviation or 0.0 for row in line]
        figure.add_scatter(
            x=[getattr(row, name) for row in line],
            y=[row.quality for row in line],
            name=method,
            mode="lines+markers",
            error_y={"array": deviations, "visible": any(deviations)},
        )
    figure.update_layout(height=380)
    figure.update_xaxes(title=title)
    figure.update_yaxes(title=unit)
    charts.draw(figure, f"{unit} by {chosen}, one line per criterion", "sweep")
    caption("Bars at random selection: one standard deviation over five seeds.")


def fits(row: Row, numbers: dict[str, float]) -> bool:
    return row.is_dqa and all(getattr(row, name) == value for name, value in numbers.items())


def show_equal_bytes(rows: Sequence[Row], unit: str) -> None:
    """Quality over measured bits: uniform as lines, DQA as points, entropy coding as a line."""
    st.markdown("**At equal bytes**")
    figure = go.Figure()
    budgeted = [v.line for m in METHODS.values() if m.budgeted for v in m.variants]
    for method in (*baselines(), *budgeted):
        line = sorted((r for r in rows if r.method == method), key=lambda row: row.bits)
        figure.add_scatter(
            x=[row.bits for row in line],
            y=[row.quality for row in line],
            name=method,
            mode="lines+markers",
        )
    default = Settings().criterion
    for method, symbol in (
        (variant.line.format(criterion=default), variant.symbol)
        for entry in METHODS.values()
        for variant in entry.variants
        if entry.ranks
    ):
        points = [row for row in rows if row.method == method]
        figure.add_scatter(
            x=[row.bits for row in points],
            y=[row.quality for row in points],
            name=f"DQA, {method}",
            mode="markers",
            marker={"symbol": symbol, "size": 9},
            customdata=[f"n = {r.n}, m = {r.m}, r = {r.r:g}" for r in points],
            hovertemplate="%{customdata}<br>%{x:.2f} bits, %{y:.2f}<extra></extra>",
        )
    figure.update_layout(height=420)
    figure.update_xaxes(title="bits per activation, all bytes", range=[0, 8.5])
    lowest, highest = floor_of(rows), max(row.quality for row in rows)
    room = 0.08 * (highest - lowest)
    figure.update_yaxes(title=unit, range=[lowest - room, highest + room])
    charts.draw(figure, f"{unit} over measured bits per activation", "equal bytes")
    caption(
        "Points above the lines buy something; points below lose at equal bytes. Uniform and "
        f"power-of-two points below {lowest:.1f} are not drawn; the table has them."
    )


def floor_of(rows: Sequence[Row]) -> float:
    """The quality of the poorest DQA or entropy-coded point."""
    return min(row.quality for row in rows if row.is_dqa or row.budget)


def show_correlations(summary: Summary, bench: str) -> None:
    table = summary.correlations.get(bench, {})
    repeated = {line for line, settings in ranked_lines().items() if settings.entry.codes_base}
    titles = [
        line
        for line in table
        if line not in repeated and not re.fullmatch(r"random [1-9]\d*", line)
    ]
    if not titles:
        return
    st.markdown("**Do the criteria agree?** Spearman's rank correlation, mean of all layers")
    values = np.array([[table[a][b] for b in titles] for a in titles])
    figure = charts.correlations(titles, values, height=360)
    charts.draw(figure, f"Rank correlation between the criteria, {bench}", "agreement")


def show_rows(rows: Iterable[Row], unit: str) -> None:
    """Selection at the paper's setting, the other methods by bits, and all points as a file."""
    rows = list(rows)
    st.markdown("**How channels are selected**, at n = 3, m = 3, r = 0.4")
    chosen = [row for row in rows if row.method == "FP32" or is_at(row)]
    show_table([cells(row, unit) for row in chosen], "Selection of channels, measured here")
    st.markdown(f"**Methods without channel selection**, {unit} by bits per activation")
    others = [row for row in rows if row.method != "FP32" and not row.is_dqa]
    columns = sorted({bits_of(row) for row in others})
    show_table(
        [
            {"method": method}
            | {f"{bits:g} bits": found(others, method, bits) for bits in columns}
            | {"FP32": found(rows, "FP32")}
            for method in dict.fromkeys(row.method for row in others)
        ],
        "Methods without channel selection, measured here",
    )
    st.download_button(
        "All points as CSV", as_csv(rows), "ablation.csv", "text/csv", icon=":material/download:"
    )


def bits_of(row: Row) -> float:
    """Bits as they were asked for: n, or entropy coding's budget."""
    return row.budget or row.n


def found(rows: Sequence[Row], method: str, bits: float | None = None) -> str:
    """The quality of `method`, at `bits` if there are several; a dash where it was not measured."""
    titles = [r.title for r in rows if r.method == method and bits in (None, bits_of(r))]
    return titles[0] if titles else "–"


def cells(row: Row, unit: str) -> dict[str, str]:
    """One line of the table of selections."""
    return {
        "selection": row.method,
        f"{unit}, measured here": row.title,
        "bits per activation": f"{row.bits:.2f}",
        "KiB": f"{row.kib:,.0f}",
        **{
            f"against {_named(name)}, equal bytes": _signed(row.against.get(name))
            for name in baselines()
        },
        "ranking in s": f"{row.seconds:.1f}" if row.seconds else "–",
    }


def as_csv(rows: Sequence[Row]) -> str:
    """Every row with a heading per column; bits are per activation, kib all that is stored."""
    heads = [name for name in asdict(rows[0]) if name != "against"]
    lines = [",".join([*heads, *(f"against {name.replace(',', '')}" for name in baselines())])]
    for row in rows:
        values = [getattr(row, name) for name in heads]
        values += [row.against.get(name) for name in baselines()]
        lines.append(",".join(_cell(value) for value in values))
    return "\n".join(lines) + "\n"


def conditions(bench: BenchPlan, plan: AblationPlan) -> str:
    """What the figures were measured on."""
    pictures = f"{bench.pictures} pictures" if bench.pictures else "all pictures"
    task = TASKS[bench.task]
    batch = " in one batch, whose channels share DQA's scales" if task.batch else ""
    ranked = (
        f"{bench.calibration} training pictures"
        if task.calibration
        else "crops of the bundled photographs"
    )
    return (
        f"Measured here: {bench.model.rsplit('/', 1)[-1]} on {pictures} of {bench.data}{batch}. "
        f"Channels ranked on {ranked}, at n = m = 3 (gain at each n and m); random over "
        f"{len(plan.seeds)} seeds. Bytes are lengths of what would be stored, tables, scales and "
        "headers included; uniform is interpolated between its bits. Seconds are wall-clock on a "
        "machine that did other work."
    )


def _named(baseline: str) -> str:
    """A baseline in a list of several.

    >>> _named("direct, unsigned, MSE clip")
    'direct (unsigned, MSE clip)'
    """
    name, _, form = baseline.partition(", ")
    return f"{name} ({form})" if form else name


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text
