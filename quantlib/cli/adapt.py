"""Adapt a network to few bits from its own output on a handful of pictures, and save it."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.cli.options import (
    add_model,
    add_runtime,
    described_runtime,
    path,
    pictures_in,
    progress,
    runtime_from,
)
from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import psnr_y
from quantlib.files import check_writable, write_whole
from quantlib.imaging.tensors import to_uint8
from quantlib.models import SRNetwork, load
from quantlib.models.saving import check_name, packed_file
from quantlib.ptq import Settings, quantize
from quantlib.qat.adapting.adapt import ON_DEMAND, SIDE, STEPS, adapt
from quantlib.runtime.running import at_runtime
from quantlib.tasks.super_resolution import reductions, sites_of

SEEN = 128  # pixels a side of what is compared of every picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--images",
        required=True,
        metavar="DIR",
        help="a handful of photographs, reduced before the network sees them",
    )
    parser.add_argument("output", metavar="OUT", help="the .safetensors file to write")
    parser.add_argument(
        "--bits",
        type=int,
        default=ON_DEMAND.weight_bits,
        metavar="N",
        help="of weights and activations, 2 to 8 (default %(default)s)",
    )
    parser.add_argument(
        "--steps", type=int, default=STEPS, metavar="N", help="of learning (default %(default)s)"
    )
    parser.add_argument(
        "--crop",
        type=int,
        default=SIDE,
        metavar="N",
        help="pixels a side of the crops that are learned on (default %(default)s)",
    )
    add_runtime(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    output = path(options.output)
    check_writable(output, (".safetensors",))
    scheme = replace(ON_DEMAND, weight_bits=options.bits, activation_bits=options.bits)
    runtime, settings = runtime_from(options), Settings(scheme.method, options.bits)
    runtime.check(settings)
    network = load(options.model)
    check_name(output.name, network)
    photographs = pictures_in(options.images)
    shown = reductions(photographs, network.scale, options.crop)
    if not shown:
        raise QuantlibError(
            f"No picture of {options.images} has {network.scale * options.crop} pixels a side for "
            f"crops of {options.crop} after the reduction by {network.scale}; use larger ones or "
            "a smaller --crop."
        )
    started, watch = time.perf_counter(), progress("steps")
    adapted = adapt(
        network,
        shown,
        scheme,
        options.steps,
        side=options.crop,
        watch=lambda at: watch(at.step, at.steps),
    )
    seconds = time.perf_counter() - started
    assert isinstance(adapted.network, SRNetwork)
    running = at_runtime(
        quantize(sites_of(adapted.network, scheme.method), settings), runtime, shown
    )
    write_whole(output, packed_file(adapted.network))
    return {
        "model": options.model,
        "method": scheme.method,
        "bits": options.bits,
        **described_runtime(runtime, scheme.method),
        "scale": network.scale,
        "steps": adapted.steps,
        "crop": options.crop,
        "layers": {
            "quantized": len(adapted.quantized),
            "of": adapted.layers,
            "left_alone": adapted.left_alone,
        },
        "psnr_y_against_fp32": _likeness(running, network, shown),
        "pictures": len(photographs),
        "seconds": seconds,
        "output": options.output,
    }


@torch.inference_mode()
def _likeness(adapted: nn.Module, network: SRNetwork, shown: Sequence[Tensor]) -> float:
    """Mean PSNR of the adapted network's output against the network's own, on middle crops."""
    values = []
    for x in shown:
        top, left = (max(0, (side - SEEN) // 2) for side in x.shape[-2:])
        x = x[..., top : top + SEEN, left : left + SEEN]
        values.append(psnr_y(to_uint8(adapted(x)), to_uint8(network(x)), network.scale))
    return float(np.mean(values))


def describe(report: dict[str, Any]) -> str:
    layers, reasons = report["layers"], {}
    for name, reason in layers["left_alone"].items():
        reasons.setdefault(reason, []).append(name)
    rows = [f"left alone, {reason}: {', '.join(names)}" for reason, names in reasons.items()]
    bits = report["bits"]
    return "\n".join(
        [
            *rows,
            f"{layers['quantized']} of {layers['of']} layers quantized, W{bits}A{bits}, "
            f"{report['steps']} steps, {report['seconds']:.0f} s",
            f"{report['psnr_y_against_fp32']:.2f} dB against its own full-precision output",
            f"{report['output']} written.",
        ]
    )
