"""Write a network as an ONNX file, or with its codes packed as safetensors."""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from quantlib.cli.options import (
    add_method,
    add_model,
    path,
    pictures_in,
    settings_from,
    settle,
    tell_notes,
)
from quantlib.errors import QuantlibError
from quantlib.files import check_writable, write_whole
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork
from quantlib.models.catalogue import rlq_names
from quantlib.models.saving import check_name, packed_file
from quantlib.ptq import Settings
from quantlib.ptq.parameters import PARAMETERS
from quantlib.qat.scheme import quantized_layers
from quantlib.runtime.forms import onnx_form
from quantlib.runtime.lowering import integer_layer
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_running import SUFFIX, open_onnx
from quantlib.runtime.onnx_weights import StoredWeights
from quantlib.runtime.tracing import is_layer
from quantlib.tasks.task import SUPER_RESOLUTION, TASKS

Pictures = Sequence[Tensor] | None


@dataclass(frozen=True)
class Exported:
    """The bytes of a file, how many of its layers are integers, and layers by type of weight."""

    content: bytes
    integer: int
    layers: int
    weights: Mapping[str, int]


@dataclass(frozen=True)
class Format:
    """One kind of file; `check` refuses, before any work, settings that it has no form for.

    `by_name`: what the file leaves open is read from its name.
    """

    suffix: str
    check: Callable[[Settings], object]
    export: Callable[[Any, Settings, Pictures], Exported]
    by_name: bool = False


def _as_onnx(network: Any, settings: Settings, pictures: Pictures) -> Exported:
    content = export_onnx(network, onnx_form(settings), pictures)
    card = open_onnx(content, network.name).card
    types = StoredWeights.of(content).types
    return Exported(content, card["integer_layers"], card["layers"], types)


def _as_safetensors(network: Any, settings: Settings, pictures: Pictures) -> Exported:
    found = {name: layer for name, layer in network.named_modules() if is_layer(layer)}
    answers = [integer_layer(name, layer)[0] for name, layer in found.items()]
    packed = [f"{layer.scheme.weight_bits}-bit" for layer in quantized_layers(network).values()]
    weights = Counter(packed) + Counter(FP32=len(found) - len(packed))
    integer = sum(answer.integer for answer in answers)
    return Exported(packed_file(network), integer, len(found), dict(weights))


def _check_learned(settings: Settings) -> None:
    if not settings.entry.learned:
        raise QuantlibError(
            f"{settings.summary} has no codes of weights to pack; choose --to onnx, adapt the "
            f"network, or choose {', '.join(rlq_names())}."
        )
    if settings.depth != PARAMETERS["depth"].default:
        raise QuantlibError("A packed file holds every depth of a network; leave --depth out.")


FORMATS = {
    "onnx": Format(SUFFIX, onnx_form, _as_onnx),
    "safetensors": Format(".safetensors", _check_learned, _as_safetensors, by_name=True),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", metavar="OUT", help="the file to write")
    parser.add_argument(
        "--to",
        required=True,
        choices=FORMATS,
        help="onnx for ONNX Runtime, or safetensors with packed codes, which opens as any model",
    )
    add_model(parser)
    parser.add_argument(
        "--task",
        choices=TASKS,
        default=SUPER_RESOLUTION.name,
        help="what the network does (default %(default)s)",
    )
    parser.add_argument(
        "--images",
        metavar="DIR",
        help="pictures that 8-bit ranges are measured on (default, for super-resolution: the "
        "sample photographs)",
    )
    add_method(parser, ("bits", "depth"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    output, format = path(options.output), FORMATS[options.to]
    check_writable(output, (format.suffix,))
    code = TASKS[options.task].code
    settle(options, code.load)
    settings = settings_from(options)
    format.check(settings)
    network = code.opened(options.model, settings)
    tell_notes(network)
    _check(network, settings, options)
    if format.by_name:
        check_name(output.name, network)
    exported = format.export(network, settings, _pictures(options))
    write_whole(output, exported.content)
    return {
        "model": options.model,
        "method": settings.method,
        "bits": settings.bits if settings.entry.quantizes else 32,
        "depth": settings.depth,
        "scale": getattr(network, "scale", None),
        "to": options.to,
        "licence": network.licence,
        "bytes": {"fp32": 4 * network.parameter_count, "file": len(exported.content)},
        "layers": {"integer": exported.integer, "of": exported.layers},
        "weights": exported.weights,
        "output": options.output,
    }


def _check(network: Any, settings: Settings, options: argparse.Namespace) -> None:
    """What would fail, or mislead, after the work is told before it."""
    if isinstance(network, SRNetwork):
        if network.is_quantized and not settings.entry.learned:
            raise QuantlibError(
                f"{options.model} was trained with few bits and is exported with those; leave "
                "--method out."
            )
    elif settings.entry.quantizes and not options.images:
        raise QuantlibError(
            f"{settings.summary} needs ranges measured on pictures of the kind that the network "
            "looks at; name some with --images."
        )


def _pictures(options: argparse.Namespace) -> Pictures:
    return [to_tensor(rgb) for rgb in pictures_in(options.images)] if options.images else None


def describe(report: dict[str, Any]) -> str:
    sizes, layers = report["bytes"], report["layers"]
    weights = ", ".join(f"{count} × {kind}" for kind, count in report["weights"].items())
    return "\n".join(
        [
            f"{report['output']} written: {sizes['file']:,} bytes, the weights in FP32 "
            f"{sizes['fp32']:,}",
            f"{layers['integer']} of {layers['of']} layers are integers; weights {weights}",
        ]
    )
