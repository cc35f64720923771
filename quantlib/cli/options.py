"""Options that several verbs share."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.folders import picture_files
from quantlib.imaging.formats import FORMATS
from quantlib.imaging.samples import SAMPLES
from quantlib.models import SRNetwork, load
from quantlib.models.normalised import Normalised
from quantlib.ptq import Settings, methods
from quantlib.ptq.parameters import PARAMETERS, OneOf, Parameter, Real, Switch, Whole
from quantlib.runtime.choice import CHOICES, Runtime
from quantlib.tasks.super_resolution import sample_for, trained_bits


def add_model(parser: argparse.ArgumentParser, exported: bool = False) -> None:
    """The network; where `exported` ones run, too, it may be an ONNX file."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="M",
        help="builtin:NAME, hub:OWNER/NAME[@REVISION][:FILE], or a .safetensors, .pth or .onnx "
        "file; ?bits=2 at its end says what a released QuantSR file does not"
        + ("; with --runtime onnx an .onnx file that export wrote" if exported else ""),
    )


def add_runtime(parser: argparse.ArgumentParser) -> None:
    """Where a quantized network is computed."""
    for name, choice in CHOICES.items():
        PARAMETER_OPTIONS[type(choice)](parser, name, choice)


def runtime_from(options: argparse.Namespace) -> Runtime:
    return Runtime(options.runtime, options.ends)


def add_method(parser: argparse.ArgumentParser, names: Iterable[str] = PARAMETERS) -> None:
    """The method, and the options of these fields of `Settings`."""
    parser.add_argument(
        "--method",
        choices=methods.names(),
        help=f"{methods.RLQ.name} for networks that were trained with it, {methods.FP32.name} for "
        "others, where none is named",
    )
    add_parameters(parser, names)
    parser.set_defaults(bits=None)


def add_parameters(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """The options of these fields of `Settings`."""
    for name in names:
        PARAMETER_OPTIONS[type(PARAMETERS[name])](parser, name, PARAMETERS[name])


def _number(parser: argparse.ArgumentParser, name: str, parameter: Parameter) -> None:
    parser.add_argument(
        parameter.option,
        *ALIASES.get(name, ()),
        dest=name,
        type=type(parameter.default),
        default=parameter.default,
        metavar="N" if isinstance(parameter, Whole) else "X",
        help=f"{parameter.help} {_whose(name)}(default {parameter.default:g})",
    )


def _choice(parser: argparse.ArgumentParser, name: str, parameter: Parameter) -> None:
    assert isinstance(parameter, OneOf)
    parser.add_argument(
        parameter.option,
        dest=name,
        choices=parameter.choices,
        default=parameter.default,
        help=f"{parameter.help} {_whose(name)}(default {parameter.default})",
    )


def _switch(parser: argparse.ArgumentParser, name: str, parameter: Parameter) -> None:
    parser.add_argument(
        parameter.option, dest=name, action="store_true", help=f"{parameter.help} {_whose(name)}"
    )


PARAMETER_OPTIONS = {Whole: _number, Real: _number, OneOf: _choice, Switch: _switch}
ALIASES = {"important": ("--ratio",)}


def _whose(name: str) -> str:
    """The methods that take a parameter, where only some do."""
    takers = [one for one in methods.METHODS.values() if one.takes(name)]
    return f"For {', '.join(one.name for one in takers)}. " if takers else ""


def settings_from(options: argparse.Namespace) -> Settings:
    given = vars(options)
    return Settings(
        **{name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    )


def tell_notes(network: SRNetwork | Normalised) -> None:
    """Says on standard error what was guessed or chosen when a network was loaded."""
    for note in network.notes:
        print(f"note: {note}", file=sys.stderr)


def settle(options: argparse.Namespace, load: Callable[[str], Any] = load) -> None:
    """Puts in the method and the bits that follow from the network where none were named."""
    trained = None
    if options.method is None or methods.method(options.method).learned:
        network = load(options.model)
        trained = trained_bits(network) if getattr(network, "is_quantized", False) else None
    if options.method is None:
        options.method = (methods.RLQ if trained else methods.FP32).name
    if options.bits is None:
        options.bits = trained or Settings().bits


def described(options: argparse.Namespace, scale: int) -> dict[str, Any]:
    """The choices as they stand in the JSON report of verbs that enlarge pictures."""
    runtime = described_runtime(runtime_from(options), options.method)
    return {**described_method(options), "depth": options.depth, **runtime, "scale": scale}


def described_runtime(runtime: Runtime, method: str) -> dict[str, Any]:
    """The runtime as it stands in JSON; null for the ends where it has no choice of them."""
    has_ends = runtime.has_ends(Settings(method))
    return {"runtime": runtime.name, "ends": runtime.ends if has_ends else None}


def described_method(options: argparse.Namespace) -> dict[str, Any]:
    """Network and method as they stand in JSON; null where the method does not use a number."""
    entry = methods.method(options.method)
    numbers = ("bits", "extra_bits", "important", "criterion")
    used = {name: getattr(options, name) if entry.takes(name) else None for name in numbers}
    if not entry.quantizes:
        used["bits"] = 32
    return {"model": options.model, "method": options.method, **used}


def sample_picture(name: str, scale: int) -> np.ndarray:
    """A sample photograph by name, cut for a network of that scale, or a picture file."""
    if name in {sample.key for sample in SAMPLES}:
        return sample_for(name, scale)
    return read_picture_file(path(name)).rgb


def path(name: str) -> Path:
    """A name that was typed, also where the shell left ~ standing, as in --hr=~/pictures."""
    return Path(os.path.expanduser(name))


def anywhere(model: str) -> str:
    """A network's name for processes that began in other folders, too."""
    return model if ":" in model else str(path(model).absolute())


def folder(name: str) -> Path:
    found = path(name)
    if not os.path.isdir(found):
        raise QuantlibError(f"{name} is not a folder; name one that holds pictures.")
    return found


def picture_paths(name: str) -> list[Path]:
    """All pictures of a folder by their names; a QuantlibError where there are none."""
    files = picture_files(folder(name))
    if not files:
        raise QuantlibError(f"{name} holds no {FORMATS} picture; name a folder that does.")
    return files


def pictures_in(name: str) -> list[np.ndarray]:
    """All pictures of a folder, `uint8 (H, W, 3)`, in the order of their names."""
    return [read_picture_file(file).rgb for file in picture_paths(name)]


def progress(what: str):
    """Progress on standard error while a person watches."""
    started = time.perf_counter()

    def watch(done: int, total: int) -> None:
        if sys.stderr.isatty() and total > 1:
            left = (time.perf_counter() - started) / max(done, 1) * (total - done)
            end = "\n" if done == total else ""
            print(f"\r{what} {done}/{total}, {left:.0f} s left ", end=end, file=sys.stderr)

    return watch


def byte_figures(ledger: Ledger) -> dict[str, Any]:
    """The bytes of activations as they stand in JSON; null where they are not known."""
    if not ledger.total.fp32:
        return {"bytes": None, "bits_per_activation": None}
    return {"bytes": ledger.as_dict(), "bits_per_activation": ledger.bits_per_activation}


def byte_line(sizes: dict[str, int] | None, bits_per_activation: float) -> str:
    """The bytes of activations in words."""
    if sizes is None:
        return "An ONNX file does not say how many bytes its activations take."
    return (
        f"{sizes['total']:,} bytes of activations ({sizes['codes']:,} codes, "
        f"{sizes['refinement']:,} refinement, {sizes['tables']:,} tables and headers, "
        f"{sizes['scales']:,} scales), {bits_per_activation:.3f} bits per activation; "
        f"FP32 {sizes['fp32']:,}"
    )
