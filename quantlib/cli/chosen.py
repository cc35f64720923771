"""The network that options ask for: as values that any process can be given, and opened."""

import argparse
from dataclasses import dataclass
from functools import lru_cache

from quantlib.cli.options import (
    anywhere,
    path,
    progress,
    runtime_from,
    settings_from,
    settle,
    tell_notes,
)
from quantlib.errors import QuantlibError
from quantlib.models import SRNetwork
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.runtime.choice import Runtime
from quantlib.runtime.onnx_file import OnnxFile, is_onnx
from quantlib.runtime.running import at_runtime
from quantlib.sweeps.contents import Weights
from quantlib.tasks.super_resolution import default_pairs, open_network, prepare, sites_of


@dataclass(frozen=True)
class Chosen:
    """A network's name, how it is quantized and where it is computed; equal ones give equal bytes.

    `weights` are those that its file has now.
    """

    model: str
    settings: Settings
    runtime: Runtime
    weights: Weights

    @property
    def scale(self) -> int:
        network = _plain(self)
        network = network.site_network.network if isinstance(network, OnnxFile) else network
        return int(network.scale)  # type: ignore[arg-type]


def chosen_from(options: argparse.Namespace) -> Chosen:
    """What the options ask for, with method and bits where they leave them open; notes are told."""
    runtime = runtime_from(options)
    if is_onnx(options.model) and runtime.reads_files:
        settings = _settings_of_file(options)
    else:
        settle(options)
        settings = settings_from(options)
        runtime.check(settings)
    chosen = Chosen(anywhere(options.model), settings, runtime, Weights.of(options.model))
    network = _plain(chosen)
    if not isinstance(network, OnnxFile):
        tell_notes(network)
    return chosen


@lru_cache(maxsize=1)
def opened(chosen: Chosen) -> QuantizedNetwork:
    """The quantized network at its runtime; once in this process for many pictures."""
    network = _plain(chosen)
    if isinstance(network, OnnxFile):
        return network
    sites = sites_of(network, chosen.settings.method)
    pairs = default_pairs(network)
    prepared = prepare(sites, chosen.settings, pairs, watch=progress("preparing"))
    return at_runtime(prepared, chosen.runtime)


@lru_cache(maxsize=1)
def _plain(chosen: Chosen) -> SRNetwork | OnnxFile:
    if is_onnx(chosen.model) and chosen.runtime.reads_files:
        return OnnxFile(path(chosen.model))
    return open_network(chosen.model, chosen.settings)


def _settings_of_file(options: argparse.Namespace) -> Settings:
    """Those of an ONNX file that `export` wrote, which was quantized then."""
    settings = OnnxFile(path(options.model)).settings
    given = options.method, options.bits, options.depth
    fixed = settings.method, settings.bits, settings.depth
    if any(value not in (None, known) for value, known in zip(given, fixed, strict=True)):
        raise QuantlibError(
            f"{options.model} was exported as {settings.summary}; leave --method, --bits and "
            "--depth out, or export another."
        )
    options.method, options.bits, options.depth = settings.method, settings.bits, None
    return settings
