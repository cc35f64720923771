"""Time quantization against the network's own pass, and hold speed against what is required."""

import argparse
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from quantlib.cli.options import folder
from quantlib.coding import huffman
from quantlib.coding import speed as coding
from quantlib.coding.packing import pack, unpack
from quantlib.evaluation.latency import LayerLatency, measure_latency
from quantlib.evaluation.timing import timed
from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.runtime import speed as runtime
from quantlib.tasks import integers, memory
from quantlib.tasks.super_resolution import default_pairs, prepare, sites_of
from quantlib.training.step_cost import relative_costs

MODEL, SIDE = "builtin:edsr-x2", 256
TRANSFORMER = "builtin:quantsr-t-x2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hr", metavar="DIR", help="Set5: what integers keep of it is held too")
    parser.add_argument("--lr", metavar="DIR", help="its reductions by 2")


def run(options: argparse.Namespace) -> dict[str, Any]:
    network = load(MODEL)
    sites, pairs = sites_of(network), default_pairs(network)
    low = downscale(to_tensor(load_sample("astronaut", SIDE).rgb), network.scale)
    with torch.inference_mode():
        _, reference = timed(lambda: network(low))
    passes = {"fp32": 1.0}
    for method in ("direct", "pot", "noisyquant"):
        quantized = prepare(sites, Settings(method, bits=3), pairs)
        passes[method] = timed(lambda q=quantized: q(low))[1] / reference
    dqa = prepare(sites, Settings("dqa", bits=3), pairs)
    passes["dqa"] = timed(lambda: dqa(low))[1] / reference
    passes["dqa with its ledger"] = timed(lambda: dqa.measure(low))[1] / reference
    middle = sites.sites[len(sites.sites) // 2].name
    (latency,) = measure_latency(dqa, low, only=[middle], repeats=5)
    return {
        "model": MODEL,
        "input": list(low.shape),
        "threads": torch.get_num_threads(),
        "fp32_seconds": reference,
        "passes_relative_to_fp32": passes,
        "stages_relative_to_layer": _stages(latency),
        "coding_symbols_per_second": _coding(),
        "training_step_relative_to_fp32": relative_costs(),
        "transformer_relative_to_fp32": transformer_costs(),
        "memory": [asdict(one) for one in memory.held()],
        "versions": _versions(),
        "requirements": _requirements(options),
        "ceilings": [asdict(one) for one in runtime.ceilings()],
    }


def _requirements(options: argparse.Namespace) -> list[dict[str, Any]]:
    found = [*coding.requirements(), *runtime.requirements(), *memory.requirements()]
    if options.hr and options.lr:
        found.append(integers.quality(folder(options.hr), folder(options.lr)))
    return [{**asdict(one), "met": one.met} for one in found]


def _versions() -> dict[str, str]:
    """What the figures belong to, beside the machine."""
    return {name: version(name) for name in ("torch", "onnxruntime")}


def status(report: dict[str, Any]) -> int:
    """1 where a requirement is missed."""
    return int(not all(one["met"] for one in report["requirements"]))


@torch.inference_mode()
def transformer_costs(repeats: int = 3) -> dict[str, float]:
    """Passes of the bundled QuantSR-T on a picture of 256×256, relative to its FP32 twin's."""
    low = to_tensor(load_sample("astronaut", SIDE).rgb)
    networks = {bits: load(f"{TRANSFORMER}-{bits}") for bits in ("fp32", "w4a4", "w2a2")}
    seconds = {bits: timed(lambda n=n: n(low), repeats)[1] for bits, n in networks.items()}
    return {bits: seconds[bits] / seconds["fp32"] for bits in ("w4a4", "w2a2")}


def _stages(latency: LayerLatency) -> dict[str, float]:
    """DQA's stages at one site, relative to the layer that it feeds."""
    return {stage: latency.time_ratio(stage) for stage in latency.stages}


def _coding() -> dict[str, float]:
    symbols = np.random.default_rng(0).geometric(0.4, 1 << 20).clip(1, 8).astype(np.uint8) - 1
    payload, packed = huffman.encode(symbols), pack(symbols, 3, False)
    return {
        name: symbols.size / timed(work)[1]
        for name, work in {
            "huffman encode": lambda: huffman.encode(symbols),
            "huffman decode": lambda: huffman.decode(payload),
            "pack 3 bits": lambda: pack(symbols, 3, False),
            "unpack 3 bits": lambda: unpack(packed, 3, False, symbols.shape),
        }.items()
    }


def describe(report: dict[str, Any]) -> str:
    rows = [f"{report['model']}, input {report['input']}, {report['threads']} threads, this run:"]
    for name, ratio in report["passes_relative_to_fp32"].items():
        rows.append(f"  {name:28} {ratio:8.3f} × FP32")
    for name, ratio in report["stages_relative_to_layer"].items():
        rows.append(f"  {name:28} {ratio:8.3f} × its convolution")
    for name, rate in report["coding_symbols_per_second"].items():
        rows.append(f"  {name:28} {rate / 1e6:8.1f} million symbols per second")
    cost = report["training_step_relative_to_fp32"]
    rows.append(f"  {'training step, FP32':28} {cost['fp32_seconds']:8.3f} seconds")
    for name in ("rlq", "rlq composed"):
        rows.append(f"  {'training step, ' + name:28} {cost[name]:8.3f} × FP32")
    for bits, ratio in report["transformer_relative_to_fp32"].items():
        rows.append(f"  {'QuantSR-T ' + bits.upper() + ', 256×256':28} {ratio:8.3f} × FP32")
    rows.append("Fake quantization is simulated in floating point; its time is no speed-up.")
    blocks = _memory(report), _ceilings(report), _table(report)
    return "\n".join([*rows, *(line for block in blocks for line in ("", *block))])


def _memory(report: dict[str, Any]) -> list[str]:
    """In a plain chain little is held at once: codes save what moves, bands what is held."""
    width = max(len(one["form"]) for one in report["memory"])
    rows = [f"{'MiB held at once, and moved':{width}}  pixels      held     moved"]
    for one in report["memory"]:
        moved = "" if one["moved"] is None else f"{one['moved'] / 2**20:10,.1f}"
        held = f"{one['side']:8}{one['peak'] / 2**20:10,.1f}"
        rows.append(f"{one['form']:{width}}{held}{moved}")
    return rows


def _ceilings(report: dict[str, Any]) -> list[str]:
    """No integer form is faster with these kernels than its convolutions alone."""
    rows = ["8-bit convolutions with nothing between them, against the network in FP32"]
    return rows + [f"  {one['name']:28} {one['figure']:8.2f} ×" for one in report["ceilings"]]


def _table(report: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    required = report["requirements"]
    width = max(len(one["name"]) for one in required)
    rows = [f"{'Requirement, ' + versions:{width}}    figure  at least"]
    for one in required:
        said = "" if one["met"] else "  missed"
        rows.append(f"{one['name']:{width}}  {one['figure']:8.2f}  {one['required']:8.2f}{said}")
    return rows
