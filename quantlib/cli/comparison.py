"""Run every method of a comparison under the same conditions, and print the table."""

import argparse
import sys
from typing import Any

from quantlib.cli.console import remark
from quantlib.cli.options import path
from quantlib.cli.sweeping import add_sweep, engine_from, kept_from
from quantlib.cli.train import add_data, benchmarks
from quantlib.errors import QuantlibError
from quantlib.training.comparison.plan import compare, read_plan
from quantlib.training.comparison.summary import QAT, Score, rows_of, when
from quantlib.training.loop import Progress
from quantlib.training.super_resolution.benchmarks import scorer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="a TOML file such as those in assets/plans")
    add_data(parser)
    parser.add_argument(
        "--results",
        required=True,
        metavar="FILE",
        help="the JSON file that gets the result of every run; what it holds is not trained again",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="where checkpoints go")
    add_sweep(parser)
    parser.add_argument(
        "--seed", type=int, action="append", default=[], help="train the runs of this seed only"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    if not options.validate:
        raise QuantlibError("There is nothing to measure on; give --validate NAME HR LR.")
    plan = read_plan(path(options.plan))
    results = compare(
        plan,
        [path(name) for name in options.data],
        path(options.results),
        path(options.out),
        scorer(benchmarks(options), plan.conditions.scale),
        tuple(options.seed),
        _watch,
        engine_from(options),
        kept_from(options),
        remark,
    )
    rows = rows_of(results)
    return {
        "runs": len(results),
        "of": len(plan.recipes()),
        "conditions": next((r.run.summary for r in results if when(r.run) == QAT), None),
        "rows": [row.as_dict() for row in rows],
    }


def _watch(name: str, progress: Progress) -> None:
    if progress.step % 500 == 0:
        print(
            f"{name}: step {progress.step}/{progress.steps}, "
            f"{progress.steps_per_second:.1f} steps/s, {progress.seconds_left / 60:.1f} min left",
            file=sys.stderr,
            flush=True,
        )


def describe(report: dict[str, Any]) -> str:
    rows = [_line(row) for row in report["rows"]]
    each = f", trained ones {report['conditions']}" if report["conditions"] else ""
    state = f"{report['runs']} of {report['of']} runs{each}, measured here"
    return "\n".join([*rows, state])


def _line(row: dict[str, Any]) -> str:
    scores = "  ".join(f"{name} {Score(**score)}" for name, score in row["psnr_y"].items())
    seeds = "one seed" if row["seeds"] == 1 else f"{row['seeds']} seeds"
    how = f"quantized {row['quantized']}, {seeds}, {row['minutes']:.1f} min each"
    return f"{row['label']:36} {scores}  ({how})"
