"""Measure PSNR, SSIM and bytes on a folder of pictures whose truth is known."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.cli.options import (
    add_method,
    add_model,
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
from quantlib.tasks.super_resolution import measure, reduced


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
    add_model(parser)
    add_method(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    pictures = _pictures(options)
    network = quantized_from(options)
    scale = int(network.site_network.network.scale)  # type: ignore[arg-type]
    if scale != options.scale:
        raise QuantlibError(f"{options.model} upscales by {scale}; call it with --scale {scale}.")
    watch = progress("pictures")
    images, total, weights = [], ByteSizes(), ByteSizes()
    for done, (name, read) in enumerate(pictures):
        watch(done, len(pictures))
        low, high = read()
        result = measure(network, low, scale, high)
        total, weights = total + result.ledger.total, result.weights
        images.append(
            {"name": name, **_figures(result.ledger), **_quality(result), "notes": result.notes}
        )
    watch(len(pictures), len(pictures))
    ledger = Ledger({"all": total})
    return {
        **described(options, scale),
        "psnr_y": float(np.mean([image["psnr_y"] for image in images])),
        "ssim_y": float(np.mean([image["ssim_y"] for image in images])),
        **_figures(ledger),
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


def _figures(ledger: Ledger) -> dict[str, Any]:
    return {"bytes": ledger.as_dict(), "bits_per_activation": ledger.bits_per_activation}


def _quality(result: Any) -> dict[str, float]:
    return {"psnr_y": result.psnr_y, "ssim_y": result.ssim_y, "seconds": result.seconds}


def describe(report: dict[str, Any]) -> str:
    rows = [
        "  ".join([f"{i['name']:24} {i['psnr_y']:6.2f} dB", f"{i['ssim_y']:.4f}", *i["notes"]])
        for i in report["images"]
    ]
    rows.append(f"{'mean':24} {report['psnr_y']:6.2f} dB  {report['ssim_y']:.4f}")
    rows.append(byte_line(report["bytes"], report["bits_per_activation"]))
    weights = report["weight_bytes"]
    rows.append(f"{weights['total']:,} bytes of weights and biases; FP32 {weights['fp32']:,}")
    return "\n".join([*rows, report["convention"]])
