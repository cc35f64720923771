"""Measurements, made once for every picture, network and setting, whoever asks."""

from dataclasses import replace

from pages.parts.shared import quantizing
from pages.parts.shared.caching import shared
from pages.parts.shared.outliving import kept_or_made
from pages.parts.shared.quantizing import Quantizable, Watch
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.network_forms import (
    reference_depth,
    sites_for,
    weights_for,
)
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject
from quantlib.importance import Ranking
from quantlib.ptq import QuantizedNetwork, Settings, methods
from quantlib.runtime.choice import IN_PYTORCH, Runtime
from quantlib.tasks import kept_measurement
from quantlib.tasks.super_resolution import Measurement, measure


def quantizable(network: LoadedNetwork, settings: Settings) -> Quantizable:
    """The network in the form that `settings` need, with crops of the sample photographs."""
    trained = settings.bits if settings.entry.learned else None
    key = (network.name, weights_for(network, settings), trained, settings.depth)
    return Quantizable(
        key, sites_for(network, settings), "sample crops", network.pairs, network.is_public
    )


def without_rlq(network: LoadedNetwork, settings: Settings) -> Quantizable:
    """What channels are ranked and layers looked at in: before RLQ, at the chosen depth."""
    if settings.entry.learned:
        depth = reference_depth(network, settings)
        settings = replace(settings, method=methods.FP32.name, depth=depth)
    return quantizable(network, settings)


def known_search(network: LoadedNetwork, settings: Settings) -> Ranking | None:
    return quantizing.known_search(without_rlq(network, settings), settings)


def ranking_of(
    network: LoadedNetwork, settings: Settings, watch: Watch = lambda done, total: None
) -> Ranking:
    """The ranking by `settings.criterion`; `watch` follows a search and may end it by raising."""
    return quantizing.ranking_of(without_rlq(network, settings), settings, watch)


def knows_steps(network: LoadedNetwork, settings: Settings) -> bool:
    return quantizing.knows_steps(quantizable(network, settings))


def find_steps(network: LoadedNetwork, settings: Settings, watch: Watch) -> None:
    """The proportions of entropy-coded steps; `watch` follows."""
    quantizing.find_steps(quantizable(network, settings), watch)


def measured(
    subject: Subject, network: LoadedNetwork, settings: Settings, runtime: Runtime = IN_PYTORCH
) -> Measurement:
    """`subject` through `network` under `settings`, as `runtime` computes it."""
    return _measured(*name_of(subject, network, settings, runtime), subject, network)


def name_of(
    subject: Subject, network: LoadedNetwork, settings: Settings, runtime: Runtime = IN_PYTORCH
) -> tuple[str, str, str | None, Settings, Runtime]:
    """What a measurement goes by in caches."""
    return subject.digest, network.name, weights_for(network, settings), settings, runtime


@shared(megabytes=256)
def _measured(
    digest: str,
    name: str,
    sha256: str | None,
    settings: Settings,
    runtime: Runtime,
    _subject: Subject,
    _network: LoadedNetwork,
) -> Measurement:
    def make() -> Measurement:
        made = at_runtime(_network, settings, runtime)
        return measure(made, _subject.low, _network.scale, _subject.truth)

    def make_on_worker() -> Measurement:
        return on_worker(make)

    what = ("measurement", digest, name, sha256, settings, runtime)
    is_public = _subject.is_sample and _network.is_public
    forms = kept_measurement.to_bytes, kept_measurement.from_bytes
    return kept_or_made(what, is_public, make_on_worker, *forms)


def quantized(network: LoadedNetwork, settings: Settings) -> QuantizedNetwork:
    """The quantized network, shared and never changed."""
    return quantizing.quantized(quantizable(network, settings), settings)


def at_runtime(
    network: LoadedNetwork, settings: Settings, runtime: Runtime = IN_PYTORCH
) -> QuantizedNetwork:
    """The same as `runtime` computes it."""
    if runtime.simulates:
        return quantized(network, settings)
    return _running(quantizable(network, settings).key, settings, runtime, network)


@shared(megabytes=512)
def _running(
    key: tuple, settings: Settings, runtime: Runtime, _network: LoadedNetwork
) -> QuantizedNetwork:
    from quantlib.runtime.running import at_runtime  # ONNX comes with it

    return on_worker(at_runtime, quantized(_network, settings), runtime)
