"""Compare lossless codecs on DQA's symbols, and time DQA's stages layer by layer."""

import argparse
from collections.abc import Mapping
from typing import Any

from quantlib.cli.options import (
    add_model,
    add_parameters,
    progress,
    sample_picture,
    tell_notes,
)
from quantlib.coding.codecs import CODECS
from quantlib.errors import QuantlibError
from quantlib.evaluation.codecs import CodedSymbols, compare_codecs, together
from quantlib.evaluation.latency import all_layers, measure_latency
from quantlib.imaging.tensors import to_tensor
from quantlib.ptq import Settings, methods
from quantlib.tasks.super_resolution import default_pairs, open_network, prepare, reduced, sites_of
from quantlib.tasks.tiles import WHOLE_PIXELS

TITLES = {codec.name: codec.title for codec in CODECS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--sample",
        metavar="S",
        default="cat",
        help="a sample photograph by name, or a picture file, reduced before it is enlarged",
    )
    shifting = [name for name, entry in methods.METHODS.items() if entry.shifts]
    parser.add_argument(
        "--method", choices=shifting, default=methods.DQA.name, help="whose stages are timed"
    )
    add_parameters(parser, ("bits", "extra_bits", "important", "criterion"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(
        options.method, options.bits, options.extra_bits, options.important, options.criterion
    )
    network = open_network(options.model, settings)
    tell_notes(network)
    low, _ = reduced(sample_picture(options.sample, network.scale), network.scale)
    if low.shape[0] * low.shape[1] > WHOLE_PIXELS:
        raise QuantlibError(
            f"Codecs are compared on inputs of up to {WHOLE_PIXELS:,} pixels, and this one has "
            f"{low.shape[0] * low.shape[1]:,}; choose a smaller picture."
        )
    quantized = prepare(sites_of(network), settings, default_pairs(network))
    x = to_tensor(low)
    found = compare_codecs(quantized, x, progress("codecs"))
    layers = measure_latency(quantized, x, watch=progress("latency"))
    return {
        "model": options.model,
        "method": settings.method,
        "bits": settings.bits,
        "extra_bits": settings.extra_bits,
        "important": settings.important,
        "criterion": settings.criterion,
        "input": list(x.shape),
        "shifting_errors": _symbols(found.errors),
        "base_codes": _symbols(found.codes),
        "missing": dict(found.missing),
        "latency": {
            "all": all_layers(layers).as_dict(),
            "layers": [layer.as_dict() for layer in layers],
        },
    }


def _symbols(sites: tuple[CodedSymbols, ...]) -> dict[str, Any] | None:
    if not sites:
        return None
    return {"all": together(sites).as_dict(), "sites": [one.as_dict() for one in sites]}


def describe(report: dict[str, Any]) -> str:
    rows = [f"{report['model']}, input {report['input']}, {report['bits']} bits, this machine:"]
    for name, title in (("shifting_errors", "Shifting errors"), ("base_codes", "Base codes")):
        if report[name] is not None:
            rows += ["", *_codec_rows(title, report[name])]
    rows += ["", *_latency_rows(report["latency"])]
    return "\n".join([*rows, *report["missing"].values()])


def _codec_rows(title: str, found: Mapping[str, Any]) -> list[str]:
    total = found["all"]
    rows = [
        f"{title}: {total['symbols']:,} symbols at {len(found['sites'])} sites. {total['verdict']}",
        f"  {'codec':30} {'bytes':>12} {'bits':>6} {'encode':>15} {'decode':>15}",
    ]
    rows += [
        f"  {TITLES[name]:30} {codec['bytes']:12,} {codec['bits_per_symbol']:6.3f} "
        f"{_speed(codec, 'encode')} {_speed(codec, 'decode')}"
        for name, codec in total["codecs"].items()
    ]
    hopeless = sum("nothing can be saved" in site["verdict"] for site in found["sites"])
    if hopeless:
        rows.append(f"  Nothing can be saved at {hopeless} of {len(found['sites'])} sites.")
    return rows


def _speed(codec: Mapping[str, float], way: str) -> str:
    rate = codec[f"{way}d_symbols_per_second"] / 1e6
    return f"{rate:6.1f} M/s {codec[f'{way}_speed_relative_to_packing']:4.2f}×"


def _latency_rows(found: Mapping[str, Any]) -> list[str]:
    rows = [f"{'Stages of DQA':32} {'ms':>9} {'× layer':>8} {'operations':>14} {'× MACs':>8}"]
    for layer in (*found["layers"], found["all"]):
        own = layer["layer"]
        rows.append(f"{layer['site']:32} {own['milliseconds']:9.2f} {'':8} {own['macs']:14,}")
        rows += [
            f"  {name:30} {stage['milliseconds']:9.2f} {stage['time_relative_to_layer']:8.3f} "
            f"{stage['operations']:14,} {stage['operations_relative_to_layer']:8.5f}"
            for name, stage in layer["stages"].items()
        ]
    rows.append("Times are of this implementation in floating point on this machine.")
    return rows
