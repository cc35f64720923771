"""Rank the channels of every activation site by importance."""

import argparse
from contextlib import ExitStack
from typing import Any

from quantlib.cli.candidates import Candidates, opened
from quantlib.cli.console import remark
from quantlib.cli.options import add_model, anywhere, picture_paths, progress, tell_notes
from quantlib.cli.sweeping import add_sweep, engine_from, kept_from
from quantlib.importance import rank
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.sweeps.engines import InTurn, Open

GREEDY = "greedy"
"""The criterion whose candidates are tried in pieces; the others take one pass."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--images", required=True, metavar="DIR", help="calibration pictures")
    parser.add_argument("--criterion", choices=CRITERIA, default="fisher")
    parser.add_argument("--bits", type=int, default=3)
    parser.add_argument("--extra-bits", type=int, default=3)
    add_sweep(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(
        bits=options.bits, extra_bits=options.extra_bits, criterion=options.criterion
    )
    engine, kept = engine_from(options), kept_from(options)
    network = load(options.model)
    tell_notes(network)
    files = tuple(file.absolute() for file in picture_paths(options.images))
    sites, pairs = opened(network, files)
    with ExitStack() as stack:
        elsewhere = None
        if settings.criterion == GREEDY and not isinstance(engine, InTurn):
            at_work = Open(stack.enter_context(engine))
            model = anywhere(options.model)
            elsewhere = Candidates(model, files, settings.bits, at_work, kept, remark)
        ranking = rank(
            sites,
            pairs,
            settings.criterion,
            settings.bits,
            settings.extra_bits,
            watch=progress("ranking"),
            elsewhere=elsewhere,
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
