"""Options that several verbs share."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.samples import SAMPLES
from quantlib.models import load
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.ptq.settings import CRITERIA, DQA_METHODS, METHODS, SCALES
from quantlib.qat.depth import DEPTHS
from quantlib.quantizers.uniform import CLIPS
from quantlib.tasks.super_resolution import (
    default_pairs,
    open_network,
    prepare,
    sample_for,
    sites_of,
    trained_bits,
)

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        required=True,
        metavar="M",
        help="builtin:NAME, hub:OWNER/NAME[@REVISION][:FILE], or a .safetensors or .pth file",
    )


def add_method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        choices=METHODS,
        help="rlq for networks that were trained with it, fp32 for others, where none is named",
    )
    parser.add_argument(
        "--bits",
        type=int,
        help=f"bits per code, n (default {Settings().bits}, or what the network was trained with)",
    )
    add_method_numbers(parser, "sample photographs")
    parser.add_argument(
        "--depth",
        choices=tuple(DEPTHS),
        default="full",
        help="how many blocks of a depth-dynamic network are computed",
    )


def add_method_numbers(parser: argparse.ArgumentParser, calibration: str) -> None:
    """What the methods have beyond bits; `calibration` names the pictures that it is done on."""
    default = Settings()
    add_dqa(parser)
    parser.add_argument(
        "--clip", choices=CLIPS, default=default.clip, help="range of direct quantization"
    )
    parser.add_argument(
        "--unsigned", action="store_true", help="direct: unsigned codes where nothing is negative"
    )
    parser.add_argument(
        "--scales",
        choices=SCALES,
        default=default.scales,
        help=f"scales from every input, or frozen by calibration on {calibration}",
    )
    parser.add_argument(
        "--bits-per-activation",
        type=float,
        default=default.bits_per_activation,
        metavar="B",
        help="entropy: the budget, all tables and headers included",
    )


def add_dqa(parser: argparse.ArgumentParser) -> None:
    default = Settings()
    parser.add_argument(
        "--extra-bits", type=int, default=default.extra_bits, help="DQA's extra bits, m"
    )
    parser.add_argument(
        "--important",
        "--ratio",
        type=float,
        default=default.important,
        metavar="R",
        help="DQA's ratio of important channels, 0 to 1",
    )
    parser.add_argument("--criterion", choices=CRITERIA, default=default.criterion)


def settings_from(options: argparse.Namespace) -> Settings:
    given = vars(options)
    return Settings(
        **{name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    )


def quantized_from(options: argparse.Namespace) -> QuantizedNetwork:
    """The network that the options ask for, quantized as they say."""
    settle(options)
    settings = settings_from(options)
    network = open_network(options.model, settings)
    sites = sites_of(network, settings.method)
    return prepare(sites, settings, default_pairs(network), watch=progress("preparing"))


def settle(options: argparse.Namespace) -> None:
    """Puts in the method and the bits that follow from the network where none were named."""
    trained = None
    if options.method in (None, "rlq"):
        network = load(options.model)
        trained = trained_bits(network) if network.is_quantized else None
    if options.method is None:
        options.method = "rlq" if trained else "fp32"
    if options.bits is None:
        options.bits = trained or Settings().bits


def described(options: argparse.Namespace, scale: int) -> dict[str, Any]:
    """The choices as they stand in the JSON report of verbs that enlarge pictures."""
    return {**described_method(options), "depth": options.depth, "scale": scale}


def described_method(options: argparse.Namespace) -> dict[str, Any]:
    """Network and method as they stand in JSON; null where the method does not use a number."""
    dqa = options.method in DQA_METHODS
    return {
        "model": options.model,
        "method": options.method,
        "bits": {"fp32": 32, "entropy": None}.get(options.method, options.bits),
        "extra_bits": options.extra_bits if dqa else None,
        "important": options.important if dqa else None,
        "criterion": options.criterion if dqa else None,
    }


def sample_picture(name: str, scale: int) -> np.ndarray:
    """A sample photograph by name, cut for a network of that scale, or a picture file."""
    if name in {sample.key for sample in SAMPLES}:
        return sample_for(name, scale)
    return read_picture_file(Path(name)).rgb


def folder(name: str) -> Path:
    path = Path(name)
    if not path.is_dir():
        raise QuantlibError(f"{name} is not a folder; name one that holds pictures.")
    return path


def pictures_in(name: str) -> list[np.ndarray]:
    """All pictures of a folder, `uint8 (H, W, 3)`, in the order of their names."""
    files = sorted(p for p in folder(name).iterdir() if p.suffix.lower() in PICTURES)
    if not files:
        raise QuantlibError(f"{name} holds no PNG, JPEG or WebP picture.")
    return [read_picture_file(file).rgb for file in files]


def progress(what: str):
    """Progress on standard error while a person watches."""
    started = time.perf_counter()

    def watch(done: int, total: int) -> None:
        if sys.stderr.isatty() and total > 1:
            left = (time.perf_counter() - started) / max(done, 1) * (total - done)
            end = "\n" if done == total else ""
            print(f"\r{what} {done}/{total}, {left:.0f} s left ", end=end, file=sys.stderr)

    return watch


def byte_line(sizes: dict[str, int], bits_per_activation: float) -> str:
    return (
        f"{sizes['total']:,} bytes of activations ({sizes['codes']:,} codes, "
        f"{sizes['refinement']:,} refinement, {sizes['tables']:,} tables and headers, "
        f"{sizes['scales']:,} scales), {bits_per_activation:.3f} bits per activation; "
        f"FP32 {sizes['fp32']:,}"
    )
