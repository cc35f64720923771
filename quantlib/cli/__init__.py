"""The verbs of Bitlens without a browser: `python -m quantlib VERB`, one file per verb."""

import argparse
import json
import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from quantlib.cli import (
    ablation,
    adapt,
    bench,
    classify,
    codecs,
    evaluate,
    importance,
    models,
    segment,
    table,
    train,
    upscale,
)
from quantlib.errors import QuantlibError

VERBS = {
    "models": models,
    "upscale": upscale,
    "evaluate": evaluate,
    "classify": classify,
    "segment": segment,
    "importance": importance,
    "train": train,
    "adapt": adapt,
    "table": table,
    "ablation": ablation,
    "codecs": codecs,
    "bench": bench,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):  # type: ignore[override]
        raise QuantlibError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = _Parser(prog="python -m quantlib", description=__doc__)
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in VERBS.items():
        summary = (module.__doc__ or "").strip()
        verb = verbs.add_parser(name, help=summary.splitlines()[0], description=summary)
        module.add_arguments(verb)
        verb.add_argument(
            "--json", action="store_true", help="print one JSON object and nothing else"
        )
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0, or 2 with one line on standard error for a mistake a person can mend."""
    try:
        options = parser().parse_args(arguments)
        verb = VERBS[options.verb]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # PyTorch's remarks on old checkpoints
            report = verb.run(options)
        print(json.dumps(_strict(report)) if options.json else verb.describe(report))
    except QuantlibError as error:
        print(f"quantlib: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("quantlib: stopped.", file=sys.stderr)
        return 130
    return 0


def _strict(report: Any) -> Any:
    """`report` with null for NaN and infinity (PSNR of equal pictures): JSON has neither."""
    if isinstance(report, dict):
        return {name: _strict(value) for name, value in report.items()}
    if isinstance(report, list | tuple):
        return [_strict(value) for value in report]
    return None if isinstance(report, float) and not math.isfinite(report) else report
