"""Measure top-1 accuracy and bytes of a classifier on labelled pictures."""

import argparse
from typing import Any

from quantlib.cli.options import add_model, folder, progress, settings_from, tell_notes
from quantlib.cli.recognition import (
    add_recognition_options,
    calibration_count,
    checked_limit,
    described,
    described_lines,
    figures,
)
from quantlib.datasets import LabelledPictures
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.evaluation.published import ACCURACY_BITS, HOW, published_accuracy
from quantlib.models import load_classifier
from quantlib.ptq import Settings
from quantlib.tasks import classification
from quantlib.tasks.cifar10 import cifar10

CALIBRATION = 250


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--data",
        required=True,
        metavar="D",
        help="digits (scikit-learn's), cifar10 (from the Hub), or a folder with CIFAR-10",
    )
    parser.add_argument(
        "--batch",
        type=int,
        default=classification.BATCH,
        metavar="N",
        help="pictures that share one scale per channel (default %(default)s)",
    )
    add_recognition_options(parser, CALIBRATION)


def run(options: argparse.Namespace) -> dict[str, Any]:
    settings, limit = settings_from(options), checked_limit(options)
    count = calibration_count(options, settings)
    classifier = load_classifier(options.model)
    tell_notes(classifier)
    pictures = _pictures(options.data, "test", limit)
    calibration = _pictures(options.data, "train", count) if count else None
    result = classification.classify(
        classifier, settings, pictures, calibration, options.batch, watch=progress("pictures")
    )
    return {
        **described(options, len(pictures), len(calibration) if calibration else 0),
        "batch": options.batch,
        "accuracy": result.accuracy,
        "per_class": result.per_class,
        **figures(result.ledger, result.seconds),
        "published": _published(classifier.architecture, options.data, settings),
    }


def _pictures(data: str, split: str, limit: int | None) -> LabelledPictures:
    if data == "cifar10":
        return cifar10(split, limit)
    found = read_digits(split) if data == "digits" else read_cifar10(folder(data), split)
    return found[:limit]


def _published(architecture: str, data: str, settings: Settings) -> list[dict[str, Any]]:
    rows = () if data == "digits" else published_accuracy(architecture, "CIFAR-10", settings)
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


def describe(report: dict[str, Any]) -> str:
    rows = described_lines(report, "Top-1 accuracy", "accuracy")
    for entry in report["published"]:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in entry["accuracy"].items())
        note = f"; {entry['note']}" if entry["note"] else ""
        rows.append(
            f"Published, {entry['network']} at {entry['bits']} bits: {scores} "
            f"({entry['source']}, {entry['how']}{note})"
        )
    return "\n".join(rows)
