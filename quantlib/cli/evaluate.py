"""Measure PSNR, SSIM and bytes on a folder of pictures whose truth is known."""

import argparse
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.cli.options import (
    add_method,
    add_model,
    add_runtime,
    byte_figures,
    byte_line,
    described,
    folder,
    progress,
    quantized_from,
    sample_picture,
)
from quantlib.datasets.paired_folders import find_pairs
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.files import read_picture_file
from quantlib.quantizers.sizes import ByteSizes
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


def run(options: argparse.Namespace) -> dict[str, Any]:
    pictures = _pictures(options)
    network = quantized_from(options)
    scale = int(network.site_network.network.scale)  # type: ignore[arg-type]
    if scale != options.scale:
        raise QuantlibError(f"{options.model} upscales by {scale}; call it with --scale {scale}.")
    watch = progress("pictures")
    images, total, weights = [], ByteSizes(), ByteSizes()
    apart: dict[str, str] = {}
    for done, (name, read) in enumerate(pictures):
        watch(done, len(pictures))
        low, high = read()
        result = measure(network, low, scale, high)
        total, weights = total + result.ledger.total, result.weights
        images.append(
            {"name": name, **byte_figures(result.ledger), **_quality(result), "notes": result.notes}
        )
        if result.left_out:
            apart[name] = result.left_out
    watch(len(pictures), len(pictures))
    ledger = Ledger({"all": total})
    return {
        **described(options, scale),
        **{measure: _mean(images, measure, apart) for measure in MEASURES},
        "left_out": apart,
        **byte_figures(ledger),
        "weight_bytes": {"fp32": weights.fp32, "total": weights.total},
        "seconds": sum(image["seconds"] for image in images),
        "convention": CONVENTION,
        "images": images,
    }


Reader = Callable[[], tuple[np.ndarray, np.ndarray]]


def _pictures(options: argparse.Namespace) -> list[tuple[str, Reader]]:
    """Names, and functions that read (input, truth)."""
    if options.scale < 1:
        raise QuantlibError(f"A scale of {options.scale} is impossible; give that of the network.")
    if options.sample:
        if options.hr or options.lr:
            raise QuantlibError("--sample stands instead of --hr and --lr; give one or the other.")
        truth = sample_picture(options.sample, options.scale)
        return [(options.sample, lambda: reduced(truth, options.scale))]
    if not (options.hr and options.lr):
        raise QuantlibError("Say what to measure on: --hr and --lr, or --sample.")
    pairs = find_pairs(folder(options.hr), folder(options.lr), options.scale)
    return [(name, partial(_read, high, low)) for name, high, low in pairs]


def _read(high: Path, low: Path) -> tuple[np.ndarray, np.ndarray]:
    return read_picture_file(low).rgb, read_picture_file(high).rgb


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
