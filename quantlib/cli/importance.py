"""Rank the channels of every activation site by importance."""

import argparse
from typing import Any

from quantlib.cli.options import add_model, pictures_in, progress, tell_notes
from quantlib.importance import rank
from quantlib.importance.pairs import pairs_from
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.tasks.super_resolution import sites_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--images", required=True, metavar="DIR", help="calibration pictures")
    parser.add_argument("--criterion", choices=CRITERIA, default="fisher")
    parser.add_argument("--bits", type=int, default=3)
    parser.add_argument("--extra-bits", type=int, default=3)


def run(options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(
        bits=options.bits, extra_bits=options.extra_bits, criterion=options.criterion
    )
    network = load(options.model)
    tell_notes(network)
    pairs = pairs_from(pictures_in(options.images), network.scale)
    ranking = rank(
        sites_of(network),
        pairs,
        settings.criterion,
        settings.bits,
        settings.extra_bits,
        watch=progress("ranking"),
    )
    return {
        "model": options.model,
        "criterion": settings.criterion,
        "bits": settings.bits,
        "seconds": ranking.seconds,
        "layers": [
            {"name": name, "order": ranking.order(name).tolist(), "scores": scores.tolist()}
            for name, scores in ranking.scores.items()
        ],
    }


def describe(report: dict[str, Any]) -> str:
    rows = [
        f"{layer['name']:24} {' '.join(str(c) for c in layer['order'][:12])} …"
        for layer in report["layers"]
    ]
    head = f"Most important channels first, by {report['criterion']}"
    return "\n".join([*rows, f"{head}; {report['seconds']:.2f} s"])
