"""Options and lines that `classify` and `segment` share."""

import argparse
from typing import Any

from quantlib.cli.options import add_parameters, byte_line, described_method
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.ptq import Settings, methods
from quantlib.ptq.parameters import PARAMETERS
from quantlib.tasks.recognition import needs_examples


def add_recognition_options(parser: argparse.ArgumentParser, calibration: int) -> None:
    """How many pictures, and how activations are quantized; `calibration` are ranked on."""
    parser.add_argument(
        "--limit", type=int, metavar="N", help="evaluate the first N test pictures (default all)"
    )
    parser.add_argument("--method", choices=methods.names(learned=False), default=methods.FP32.name)
    add_parameters(parser, (name for name in PARAMETERS if name != "depth"))
    parser.add_argument(
        "--calibration-count",
        type=int,
        default=calibration,
        metavar="N",
        help="training pictures that channels are ranked and scales frozen on "
        f"(default {calibration})",
    )


def calibration_count(options: argparse.Namespace, settings: Settings) -> int:
    """How many training pictures are needed: none for methods that do not look at any."""
    if not needs_examples(settings, None):
        return 0
    if options.calibration_count < 1:
        raise QuantlibError(
            f"{settings.summary} needs at least one calibration picture, not "
            f"{options.calibration_count}; leave --calibration-count out or give more."
        )
    return options.calibration_count


def checked_limit(options: argparse.Namespace) -> int | None:
    """How many pictures are evaluated, None for all."""
    if options.limit is not None and options.limit < 1:
        raise QuantlibError(
            f"There is nothing to see on {options.limit} pictures; give a --limit of at least 1."
        )
    return options.limit


def described(options: argparse.Namespace, pictures: int, calibration: int) -> dict[str, Any]:
    """Network, method and data as they stand in the JSON report."""
    return {
        **described_method(options),
        "data": options.data,
        "pictures": pictures,
        "calibration": calibration or None,
    }


def figures(ledger: Ledger, seconds: float) -> dict[str, Any]:
    """Bytes and time as they stand in the JSON report."""
    return {
        "bytes": ledger.as_dict(),
        "bits_per_activation": ledger.bits_per_activation,
        "seconds": seconds,
    }


def described_lines(report: dict[str, Any], measure: str, total: str) -> list[str]:
    """`report[total]` in percent with its parts by class, and the bytes, for people."""
    per_class = report["per_class"]
    width = max(len(name) for name in (*per_class, total))
    rows = [f"{name:{width}}  {percent:6.2f} %" for name, percent in per_class.items()]
    rows.append(
        f"{measure}: {report[total]:.2f} % on {report['pictures']:,} pictures, measured here"
    )
    if report["calibration"]:
        rows.append(f"Calibrated on {report['calibration']:,} training pictures.")
    return [*rows, byte_line(report["bytes"], report["bits_per_activation"])]
