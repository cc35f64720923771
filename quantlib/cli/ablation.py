"""Measure what every choice of DQA buys on every network, and print the tables."""

import argparse
import sys
from dataclasses import asdict
from typing import Any

from quantlib.ablation.plan import read_plan
from quantlib.ablation.summary import Summary, summarise
from quantlib.ablation.trials import measure_all
from quantlib.cli.console import remark
from quantlib.cli.options import folder, path
from quantlib.cli.sweeping import add_sweep, engine_from, kept_from
from quantlib.errors import QuantlibError
from quantlib.files import check_writable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="such as assets/plans/ablation.toml")
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="the folder that the plan's names start from"
    )
    parser.add_argument(
        "--results",
        required=True,
        metavar="FILE",
        help="the JSON file that gets every point; what it holds is not measured again",
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help="where the tables go, for the pages; benches that it has and RESULTS lacks stay",
    )
    add_sweep(parser)
    parser.add_argument(
        "--bench", action="append", default=[], metavar="NAME", help="measure only these"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    engine, kept = engine_from(options), kept_from(options)
    plan = read_plan(path(options.plan))
    names = [bench.name for bench in plan.benches]
    if unknown := [name for name in options.bench if name not in names]:
        raise QuantlibError(f"The plan has no bench {unknown[0]!r}; it has {', '.join(names)}.")
    chosen = set(options.bench or names)
    file = path(options.results)
    written = path(options.summary) if options.summary else None
    if written:
        check_writable(written)
    earlier = Summary.read(written) if written else None  # a damaged one is named now
    results = measure_all(
        plan,
        folder(options.data),
        file,
        engine,
        _watch,
        lambda trial: trial.bench in chosen,
        kept,
        remark,
    )
    summary = summarise(results)
    if written and earlier:
        earlier.with_benches(summary).write(written)
    wanted = plan.trials()
    return {
        "measured": sum(trial.key in results.points for trial in wanted),
        "of": len(wanted),
        "benches": [asdict(bench) for bench in plan.benches],
        "rows": [asdict(row) for row in summary.rows],
    }


def _watch(done: int, total: int, name: str) -> None:
    print(f"{done} of {total} points  {name}", file=sys.stderr, flush=True)


def describe(report: dict[str, Any]) -> str:
    lines = [_line(row) for row in report["rows"]]
    return "\n".join([*lines, f"{report['measured']} of {report['of']} points, measured here"])


def _line(row: dict[str, Any]) -> str:
    numbers = f"n={row['n']} m={row['m']} r={row['r']:g}" if row["m"] else f"n={row['n']}"
    if row["budget"]:
        numbers = f"budget {row['budget']:g}"
    spread = "" if row["deviation"] is None else f" ± {row['deviation']:.2f}"
    known = {k: v for k, v in row["against"].items() if v is not None}
    against = "".join(f"  {value:+.2f} against {name}" for name, value in known.items())
    return (
        f"{row['bench']:24} {row['method']:28} {numbers:18} {row['quality']:7.2f}{spread}  "
        f"{row['bits']:.3f} bits{against}"
    )
