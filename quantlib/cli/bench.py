"""Time quantization against the network's own pass, as ratios within one run."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from quantlib.coding import huffman
from quantlib.coding.packing import pack, unpack
from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import load
from quantlib.pipeline import default_pairs, prepare, sites_of
from quantlib.ptq import Settings
from quantlib.quantizers import dqa
from quantlib.training.step_cost import relative_costs

MODEL, SIDE, REPEATS = "builtin:edsr-x2", 256, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> dict[str, Any]:
    network = load(MODEL)
    sites, pairs = sites_of(network), default_pairs(network)
    low = downscale(to_tensor(load_sample("astronaut", SIDE).rgb), network.scale)
    with torch.inference_mode():
        reference = _seconds(lambda: network(low))
    passes = {"fp32": 1.0}
    for method in ("direct", "pot", "noisyquant", "dqa"):
        quantized = prepare(sites, Settings(method, bits=3), pairs)
        passes[method] = _seconds(lambda q=quantized: q(low)) / reference
        if method == "dqa":
            passes["dqa with its ledger"] = _seconds(lambda q=quantized: q.measure(low)) / reference
    return {
        "model": MODEL,
        "input": list(low.shape),
        "threads": torch.get_num_threads(),
        "fp32_seconds": reference,
        "passes_relative_to_fp32": passes,
        "stages_relative_to_fp32": _stages(sites, low, reference),
        "coding_symbols_per_second": _coding(),
        "training_step_relative_to_fp32": relative_costs(),
    }


def _stages(sites: Any, low: torch.Tensor, reference: float) -> dict[str, float]:
    """DQA's stages on the activations of one site in the middle of the network."""
    site = sites.sites[len(sites.sites) // 2]
    kept: list[torch.Tensor] = []

    def keep(at: Any, a: torch.Tensor, layer: Any) -> torch.Tensor:
        if at is site:
            kept.append(a.detach().clone())
        return a

    with torch.inference_mode():
        sites.run(low, keep)
    important = torch.arange(site.channels) < 0.4 * site.channels
    quantizer = dqa.fit_dqa(kept[0], 3, 3, important, site.channel_dim)
    encoded = quantizer.encode(kept[0])
    return {
        "quantize": _seconds(lambda: quantizer(kept[0])) / reference,
        "quantize, shift and encode": _seconds(lambda: quantizer.encode(kept[0])) / reference,
        "decode and dequantize": _seconds(encoded.decode) / reference,
    }


def _coding() -> dict[str, float]:
    symbols = np.random.default_rng(0).geometric(0.4, 1 << 20).clip(1, 8).astype(np.uint8) - 1
    payload, packed = huffman.encode(symbols), pack(symbols, 3, False)
    return {
        "huffman encode": symbols.size / _seconds(lambda: huffman.encode(symbols)),
        "huffman decode": symbols.size / _seconds(lambda: huffman.decode(payload)),
        "pack 3 bits": symbols.size / _seconds(lambda: pack(symbols, 3, False)),
        "unpack 3 bits": symbols.size / _seconds(lambda: unpack(packed, 3, False, symbols.shape)),
    }


def _seconds(work: Callable[[], Any]) -> float:
    """Median of a few runs after one to warm up."""
    work()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def describe(report: dict[str, Any]) -> str:
    rows = [f"{report['model']}, input {report['input']}, {report['threads']} threads, this run:"]
    for title, unit in (("passes", "× FP32"), ("stages", "× FP32")):
        for name, ratio in report[f"{title}_relative_to_fp32"].items():
            rows.append(f"  {name:28} {ratio:8.3f} {unit}")
    for name, rate in report["coding_symbols_per_second"].items():
        rows.append(f"  {name:28} {rate / 1e6:8.1f} million symbols per second")
    cost = report["training_step_relative_to_fp32"]
    rows.append(f"  {'training step, FP32':28} {cost['fp32_seconds']:8.3f} seconds")
    for name in ("rlq", "rlq composed"):
        rows.append(f"  {'training step, ' + name:28} {cost[name]:8.3f} × FP32")
    rows.append("Fake quantization is simulated in floating point; its time is no speed-up.")
    return "\n".join(rows)
