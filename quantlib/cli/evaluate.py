"""Measure PSNR, SSIM and bytes on a folder of pictures whose truth is known."""

import argparse
import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.cli.chosen import Chosen, chosen_from, opened
from quantlib.cli.console import remark
from quantlib.cli.options import (
    add_method,
    add_model,
    add_runtime,
    byte_figures,
    byte_line,
    described,
    folder,
    progress,
    sample_picture,
)
from quantlib.cli.sweeping import add_sweep, engine_from, in_order, kept_from
from quantlib.datasets.paired_folders import find_pairs
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.files import read_picture_file
from quantlib.quantizers.sizes import ByteSizes
from quantlib.sweeps.contents import Files
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from quantlib.tasks.super_resolution import Measurement, measure, reduced

MEASURES = "psnr_y", "ssim_y"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hr", metavar="DIR", help="high-resolution pictures")
    parser.add_argument("--lr", metavar="DIR", help="their reductions")
    parser.add_argument(
        "--sample",
        metavar="S",
        help="instead of --hr and --lr: a sample photograph by name, or a picture file, "
        "reduced before it is enlarged",
    )
    parser.add_argument("--scale", required=True, type=int)
    add_model(parser, exported=True)
    add_method(parser)
    add_runtime(parser)
    add_sweep(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    if options.scale < 1:
        raise QuantlibError(f"A scale of {options.scale} is impossible; give that of the network.")
    pairs = _pairs(options)
    engine, kept = engine_from(options), kept_from(options)
    chosen = chosen_from(options)
    if chosen.scale != options.scale:
        raise QuantlibError(
            f"{options.model} upscales by {chosen.scale}; call it with --scale {chosen.scale}."
        )
    if options.sample:
        found = [_measured(chosen, options.sample, *_sample(options))]
    else:
        units = [unit_of(chosen, *pair) for pair in pairs]
        made = in_order(sweep(units, engine, kept, remark), units, progress("pictures"))
        found = [json.loads(content) for content in made]
    images = [one["image"] for one in found]
    apart = {one["image"]["name"]: one["left_out"] for one in found if one["left_out"]}
    total = sum((ByteSizes(**one["sizes"]) for one in found), ByteSizes())
    weights = found[-1]["weights"]
    return {
        **described(options, chosen.scale),
        **{measure: _mean(images, measure, apart) for measure in MEASURES},
        "left_out": apart,
        **byte_figures(Ledger({"all": total})),
        "weight_bytes": weights,
        "seconds": sum(image["seconds"] for image in images),
        "convention": CONVENTION,
        "images": images,
    }


def _pairs(options: argparse.Namespace) -> list[tuple[str, Path, Path]]:
    """Names, original and reduction of the pictures to measure on; none for a sample."""
    if options.sample:
        if options.hr or options.lr:
            raise QuantlibError("--sample stands instead of --hr and --lr; give one or the other.")
        return []
    if not (options.hr and options.lr):
        raise QuantlibError("Say what to measure on: --hr and --lr, or --sample.")
    return find_pairs(folder(options.hr), folder(options.lr), options.scale)


def _sample(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    return reduced(sample_picture(options.sample, options.scale), options.scale)


def unit_of(chosen: Chosen, name: str, high: Path, low: Path) -> Unit:
    places = low.absolute(), high.absolute()
    contents = (chosen.weights, *map(Files.at, places))
    return Unit(name, _work, (chosen, name), places, contents)


def _work(chosen: Chosen, name: str, low: Path, high: Path) -> bytes:
    pictures = read_picture_file(low).rgb, read_picture_file(high).rgb
    return json.dumps(_measured(chosen, name, *pictures)).encode()


def _measured(chosen: Chosen, name: str, low: np.ndarray, high: np.ndarray) -> dict[str, Any]:
    """What the report says of one picture, and what it adds up."""
    result = measure(opened(chosen), low, chosen.scale, high)
    return {
        "image": {
            "name": name,
            **byte_figures(result.ledger),
            **_quality(result),
            "notes": list(result.notes),
        },
        "left_out": result.left_out,
        "sizes": asdict(result.ledger.total),
        "weights": {"fp32": result.weights.fp32, "total": result.weights.total},
    }


def _quality(result: Measurement) -> dict[str, float | None]:
    """Its measures, None where too little is left of a picture for one of them."""
    inside = min(result.rgb.shape[:2]) > 2 * result.scale
    ssim = result.ssim_y
    return {
        "psnr_y": result.psnr_y if inside else None,
        "ssim_y": None if ssim is None or np.isnan(ssim) else ssim,
        "seconds": result.seconds,
    }


def _mean(images: list[dict[str, Any]], measure: str, apart: Collection[str]) -> float | None:
    found = [image[measure] for image in images if image["name"] not in apart]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def describe(report: dict[str, Any]) -> str:
    rows = [_line(image["name"], image, *image["notes"]) for image in report["images"]]
    rows += [f"{name} is left out of the mean: {why}." for name, why in report["left_out"].items()]
    rows.append(_line("mean", report))
    rows.append(byte_line(report["bytes"], report["bits_per_activation"]))
    weights = report["weight_bytes"]
    rows.append(f"{weights['total']:,} bytes of weights and biases; FP32 {weights['fp32']:,}")
    return "\n".join([*rows, report["convention"]])


def _line(name: str, measures: dict[str, Any], *notes: str) -> str:
    psnr, ssim = (measures[measure] for measure in MEASURES)
    quality = "     –   " if psnr is None else f"{psnr:6.2f} dB"
    return "  ".join([f"{name:24} {quality}", "–" if ssim is None else f"{ssim:.4f}", *notes])
