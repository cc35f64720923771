"""Measure a network on pictures that come with what is right: the verb of every such task."""

import argparse
from collections.abc import Sequence
from typing import Any

from quantlib.cli.options import (
    add_model,
    add_parameters,
    add_runtime,
    byte_line,
    described_method,
    described_runtime,
    folder,
    progress,
    runtime_from,
    settings_from,
    tell_notes,
)
from quantlib.errors import QuantlibError
from quantlib.evaluation.published import ACCURACY_BITS, HOW, PublishedAccuracy
from quantlib.ptq import Settings, methods
from quantlib.ptq.parameters import PARAMETERS
from quantlib.runtime.choice import Runtime
from quantlib.tasks.recognition import Recognition, needs_examples
from quantlib.tasks.task import Task


class RecognitionVerb:
    """The verb of `task`."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        task = self.task
        add_model(parser)
        parser.add_argument("--data", required=True, metavar="D", help=task.data)
        if task.batch:
            parser.add_argument(
                "--batch",
                type=int,
                default=task.batch,
                metavar="N",
                help="pictures that share one scale per channel (default %(default)s)",
            )
        parser.add_argument(
            "--limit",
            type=int,
            metavar="N",
            help="evaluate the first N test pictures (default all)",
        )
        parser.add_argument(
            "--method", choices=methods.names(learned=False), default=methods.FP32.name
        )
        add_parameters(parser, (name for name in PARAMETERS if name != "depth"))
        add_runtime(parser)
        parser.add_argument(
            "--calibration-count",
            type=int,
            default=task.calibration,
            metavar="N",
            help="training pictures that channels are ranked and scales frozen on "
            f"(default {task.calibration})",
        )

    def run(self, options: argparse.Namespace) -> dict[str, Any]:
        task, code = self.task, self.task.code
        assert isinstance(code, Recognition)
        settings, limit = settings_from(options), _checked_limit(options)
        runtime = runtime_from(options)
        runtime.check(settings)
        count = _calibration_count(options, settings, runtime)
        network = code.load(options.model)
        tell_notes(network)
        data = options.data if options.data in task.named else folder(options.data)
        pictures = code.read(data, "test", limit)
        calibration = code.read(data, "train", count) if count else None
        shared = {"batch": options.batch} if task.batch else {}
        result = code.measure(
            network,
            settings,
            pictures,
            calibration,
            runtime=runtime,
            watch=progress("pictures"),
            **shared,
        )
        report = {
            **described_method(options),
            **described_runtime(runtime, options.method),
            "data": options.data,
            "pictures": len(pictures),
            "calibration": len(calibration) if calibration else None,
            **shared,
            **result.figures,
            "bytes": result.ledger.as_dict(),
            "bits_per_activation": result.ledger.bits_per_activation,
            "seconds": result.seconds,
        }
        if code.published:
            report["published"] = _entries(code.published(network, options.data, settings))
        return report

    def describe(self, report: dict[str, Any]) -> str:
        """The task's figure with its parts by class, the bytes, and what others report."""
        figure, per_class = self.task.figure, report["per_class"]
        width = max(len(name) for name in (*per_class, figure))
        rows = [f"{name:{width}}  {percent:6.2f} %" for name, percent in per_class.items()]
        rows.append(
            f"{self.task.measure}: {report[figure]:.2f} % on {report['pictures']:,} pictures, "
            "measured here"
        )
        if report["calibration"]:
            rows.append(f"Calibrated on {report['calibration']:,} training pictures.")
        rows.append(byte_line(report["bytes"], report["bits_per_activation"]))
        return "\n".join([*rows, *map(_published_line, report.get("published", ()))])


def _calibration_count(options: argparse.Namespace, settings: Settings, runtime: Runtime) -> int:
    """How many training pictures are needed: none for methods that do not look at any."""
    if not needs_examples(settings, runtime=runtime):
        return 0
    if options.calibration_count < 1:
        raise QuantlibError(
            f"{settings.summary} needs at least one calibration picture, not "
            f"{options.calibration_count}; leave --calibration-count out or give more."
        )
    return options.calibration_count


def _checked_limit(options: argparse.Namespace) -> int | None:
    """How many pictures are evaluated, None for all."""
    if options.limit is not None and options.limit < 1:
        raise QuantlibError(
            f"There is nothing to see on {options.limit} pictures; give a --limit of at least 1."
        )
    return options.limit


def _entries(rows: Sequence[PublishedAccuracy]) -> list[dict[str, Any]]:
    return [
        {
            "network": row.network,
            "bits": ACCURACY_BITS,
            "accuracy": dict(row.accuracy),
            "source": row.source.title,
            "how": HOW[row.source.how],
            "note": row.note or None,
        }
        for row in rows
    ]


def _published_line(entry: dict[str, Any]) -> str:
    scores = ", ".join(f"{name} {value:.2f}" for name, value in entry["accuracy"].items())
    note = f"; {entry['note']}" if entry["note"] else ""
    return (
        f"Published, {entry['network']} at {entry['bits']} bits: {scores} "
        f"({entry['source']}, {entry['how']}{note})"
    )
