"""Super-resolve one picture, or all pictures of a folder, with quantized activations."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.cli import console
from quantlib.cli.chosen import Chosen, chosen_from, opened
from quantlib.cli.console import remark
from quantlib.cli.options import (
    add_method,
    add_model,
    add_runtime,
    byte_figures,
    byte_line,
    described,
    path,
    picture_paths,
    progress,
)
from quantlib.cli.sweeping import add_sweep, engine_from, kept_from
from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.imaging.encoding import JPEG, LOSSLESS, picture_bytes
from quantlib.imaging.files import check_picture_writable, read_picture_file, write_picture
from quantlib.imaging.opacity import enlarged_by, visible
from quantlib.imaging.reading import Picture, read_picture
from quantlib.kept import record
from quantlib.quantizers.sizes import ByteSizes
from quantlib.sweeps.contents import Files
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from quantlib.tasks.naming import result_name
from quantlib.tasks.super_resolution import Measurement, measure

STANDARD = "-"
"""In place of a name: standard input or output."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="IN",
        help="a PNG, JPEG, WebP, BMP or TIFF picture, a folder of them, or - for one",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        help="the .png, .tif, .webp, .bmp or, with --quality, .jpg to write, a folder for PNG "
        "files, or - for one",
    )
    parser.add_argument(
        "--long-names",
        action="store_true",
        help="OUT is a folder, for one picture too, and names of results tell how they were made: "
        "photo-x2-dqa-n4m3r40.png",
    )
    parser.add_argument("--quality", type=int, metavar="Q", help="of a JPEG, 1 to 100")
    add_model(parser, exported=True)
    add_method(parser)
    add_runtime(parser)
    add_sweep(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    if path(options.input).is_dir():
        return _folder(options)
    _check_output(options)
    picture = _read(options.input)
    chosen = chosen_from(options)
    output = options.output
    if output != STANDARD:
        out = path(output)
        if options.long_names:
            out /= result_name(options.input, chosen.scale, chosen.settings)
            output = str(out)
        longest = chosen.scale * max(picture.rgb.shape[:2])
        transparent = picture.alpha is not None
        check_picture_writable(out, options.quality, transparent, longest)
    made, alpha = _measured(chosen, picture, progress("tiles"))
    if output == STANDARD:
        console.send_bytes(picture_bytes(made.rgb, ".png", alpha, picture.profile))
    else:
        write_picture(out, made.rgb, alpha, picture.profile, options.quality)
    return {
        **_described(options, chosen),
        **_figures(made.ledger, made.seconds),
        "output": output,
        "notes": picture.notes,
    }


def _folder(options: argparse.Namespace) -> dict[str, Any]:
    """Every picture of IN to a PNG of the same name in OUT, or a name that tells the settings."""
    out = path(options.output)
    if options.output == STANDARD or (
        out.suffix.lower() in (*LOSSLESS, *JPEG) and not out.is_dir()
    ):
        raise QuantlibError(f"{options.input} is a folder; name a folder for its results, too.")
    files = picture_paths(options.input)
    targets = {out / f"{file.stem}.png": file for file in files}
    if len(targets) < len(files):
        raise QuantlibError(
            f"Two pictures of {options.input} have the same name but for its ending; rename one."
        )
    make_folder(out)
    for target in targets:
        check_writable(target)
    engine, kept = engine_from(options), kept_from(options)
    chosen = chosen_from(options)
    if options.long_names:
        scale, settings = chosen.scale, chosen.settings
        targets = {out / result_name(one.name, scale, settings): one for one in files}
    units = {unit_of(chosen, file): target for target, file in targets.items()}
    watch, images, total = progress("pictures"), {}, ByteSizes()
    watch(0, len(units))
    for unit, content in sweep([*units], engine, kept, remark):
        facts, arrays = record.from_bytes(content)
        write_whole(units[unit], arrays["png"].tobytes())
        total += ByteSizes(**facts.pop("sizes"))
        images[unit] = {"name": unit.name, **facts, "output": str(units[unit])}
        watch(len(images), len(units))
    found = [images[unit] for unit in units]
    return {
        **_described(options, chosen),
        **_figures(Ledger({"all": total}), sum(image["seconds"] for image in found)),
        "output": options.output,
        "images": found,
    }


def unit_of(chosen: Chosen, file: Path) -> Unit:
    place = file.absolute()
    return Unit(file.stem, _work, (chosen,), (place,), (chosen.weights, Files.at(place)))


def _work(chosen: Chosen, file: Path) -> bytes:
    """The enlarged picture as a PNG, and what the report says of it."""
    picture = read_picture_file(file)
    made, alpha = _measured(chosen, picture)
    png = picture_bytes(made.rgb, ".png", alpha, picture.profile)
    facts = {
        **_figures(made.ledger, made.seconds),
        "notes": picture.notes,
        "sizes": asdict(made.ledger.total),
    }
    return record.to_bytes(facts, {"png": np.frombuffer(png, np.uint8)})


def _check_output(options: argparse.Namespace) -> None:
    """What would fail after the work fails before it."""
    if options.long_names:
        if options.output == STANDARD or path(options.output).is_file():
            raise QuantlibError(f"{options.output} is no folder; with --long-names, name one.")
        make_folder(path(options.output))
        check_picture_writable(path(options.output) / "any.png", options.quality)
    elif options.output != STANDARD:
        check_picture_writable(path(options.output), options.quality)
    elif options.json:
        raise QuantlibError("The picture and --json cannot both go to standard output; name OUT.")
    elif sys.stdout.isatty():
        raise QuantlibError("A picture is nothing for a terminal; name OUT, or redirect it.")


def _read(name: str) -> Picture:
    if name == STANDARD:
        return read_picture(console.read_bytes(), "Standard input")
    return read_picture_file(path(name))


def _measured(
    chosen: Chosen,
    picture: Picture,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Measurement, np.ndarray | None]:
    """The picture enlarged, and its opacity."""
    seen = visible(picture.rgb, picture.alpha)
    made = measure(opened(chosen), seen, chosen.scale, watch=watch)
    return made, enlarged_by(picture.alpha, chosen.scale)


def _described(options: argparse.Namespace, chosen: Chosen) -> dict[str, Any]:
    return {**described(options, chosen.scale), "psnr_y": None, "ssim_y": None}


def _figures(ledger: Ledger, seconds: float) -> dict[str, Any]:
    return {**byte_figures(ledger), "seconds": seconds}


def describe(report: dict[str, Any]) -> str | None:
    line = byte_line(report["bytes"], report["bits_per_activation"])
    if report["output"] == STANDARD:
        console.remark(line)
        return None
    many = f"{len(report['images'])} pictures in " if "images" in report else ""
    return "\n".join([f"{many}{report['output']}: {line}", *report.get("notes", ())])
