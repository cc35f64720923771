"""Super-resolve one picture with quantized activations."""

import argparse
from pathlib import Path
from typing import Any

import torch

from quantlib.cli.options import (
    add_method,
    add_model,
    byte_line,
    described,
    progress,
    quantized_from,
)
from quantlib.imaging.files import read_picture_file, write_picture
from quantlib.imaging.resizing import resize
from quantlib.tasks.super_resolution import measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a PNG, JPEG or WebP picture")
    parser.add_argument("output", metavar="OUT", help="the PNG to write")
    add_model(parser)
    add_method(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    picture = read_picture_file(Path(options.input))
    network = quantized_from(options)
    scale = int(network.site_network.network.scale)  # type: ignore[arg-type]
    result = measure(network, picture.rgb, scale, watch=progress("tiles"))
    alpha = picture.alpha
    if alpha is not None:
        opacity = torch.from_numpy(alpha.copy())[None, None].float()
        height, width = result.rgb.shape[:2]
        alpha = resize(opacity, height, width).round().clamp(0, 255).byte()[0, 0].numpy()
    write_picture(Path(options.output), result.rgb, alpha)
    return {
        **described(options, scale),
        "psnr_y": None,
        "ssim_y": None,
        "bytes": result.ledger.as_dict(),
        "bits_per_activation": result.ledger.bits_per_activation,
        "seconds": result.seconds,
        "output": options.output,
    }


def describe(report: dict[str, Any]) -> str:
    return f"{report['output']}: " + byte_line(report["bytes"], report["bits_per_activation"])
