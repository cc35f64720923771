"""List the networks that load by name."""

import argparse
from dataclasses import asdict
from typing import Any

from quantlib.models.catalogue import entries
from quantlib.tasks.task import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", choices=TASKS, help="only networks for this task (default all)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    tasks = [options.task] if options.task else TASKS
    return {"models": [asdict(entry) for task in tasks for entry in entries(task)]}


def describe(report: dict[str, Any]) -> str:
    rows = report["models"]
    widths = [max((len(row[key]) for row in rows), default=0) for key in ("name", "task")]
    return "\n".join(
        f"{row['name']:{widths[0]}}  {row['task']:{widths[1]}}  {row['title']}" for row in rows
    )
