"""Measure mean IoU and bytes of a segmentation network on annotated pictures."""

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
from quantlib.datasets.annotated import read_camvid
from quantlib.models.segmenter import load_segmenter
from quantlib.tasks import segmentation

CALIBRATION = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help="CamVid's folder: test, testannot, train and trainannot",
    )
    add_recognition_options(parser, CALIBRATION)


def run(options: argparse.Namespace) -> dict[str, Any]:
    settings, limit = settings_from(options), checked_limit(options)
    count = calibration_count(options, settings)
    segmenter = load_segmenter(options.model)
    tell_notes(segmenter)
    data = folder(options.data)
    pictures = read_camvid(data, "test")[:limit]
    calibration = read_camvid(data, "train")[:count] if count else None
    result = segmentation.segment(
        segmenter, settings, pictures, calibration, watch=progress("pictures")
    )
    return {
        **described(options, len(pictures), len(calibration) if calibration else 0),
        "mean_iou": result.mean_iou,
        "pixel_accuracy": result.confusion.pixel_accuracy,
        "per_class": result.confusion.per_class,
        **figures(result.ledger, result.seconds),
    }


def describe(report: dict[str, Any]) -> str:
    return "\n".join(described_lines(report, "Mean IoU over the classes", "mean_iou"))
