"""Super-resolve one picture with quantized activations."""

import argparse
from pathlib import Path
from typing import Any

from quantlib.cli.options import (
    add_method,
    add_model,
    byte_line,
    described,
    progress,
    quantized_from,
)
from quantlib.imaging.files import check_picture_writable, read_picture_file, write_picture
from quantlib.imaging.opacity import enlarged, visible
from quantlib.tasks.super_resolution import measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a PNG, JPEG, WebP, BMP or TIFF picture")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="the .png, .tif, .webp, .bmp or, with --quality, .jpg to write",
    )
    parser.add_argument("--quality", type=int, metavar="Q", help="of a JPEG, 1 to 100")
    add_model(parser)
    add_method(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    output = Path(options.output)
    check_picture_writable(output, options.quality)
    picture = read_picture_file(Path(options.input))
    network = quantized_from(options)
    scale = int(network.site_network.network.scale)  # type: ignore[arg-type]
    longest = scale * max(picture.rgb.shape[:2])
    check_picture_writable(output, options.quality, picture.alpha is not None, longest)
    seen = visible(picture.rgb, picture.alpha)
    result = measure(network, seen, scale, watch=progress("tiles"))
    alpha = enlarged(picture.alpha, *result.rgb.shape[:2])
    write_picture(output, result.rgb, alpha, picture.profile, options.quality)
    return {
        **described(options, scale),
        "psnr_y": None,
        "ssim_y": None,
        "bytes": result.ledger.as_dict(),
        "bits_per_activation": result.ledger.bits_per_activation,
        "seconds": result.seconds,
        "output": options.output,
        "notes": picture.notes,
    }


def describe(report: dict[str, Any]) -> str:
    line = f"{report['output']}: " + byte_line(report["bytes"], report["bits_per_activation"])
    return "\n".join([line, *report["notes"]])
