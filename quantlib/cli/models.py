"""List the networks that load by name."""

import argparse
from dataclasses import asdict
from typing import Any

from quantlib.models.catalogue import entries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> dict[str, Any]:
    return {"models": [asdict(entry) for entry in entries()]}


def describe(report: dict[str, Any]) -> str:
    rows = report["models"]
    width = max(len(row["name"]) for row in rows)
    return "\n".join(f"{row['name']:{width}}  ×{row['scale']}  {row['title']}" for row in rows)
