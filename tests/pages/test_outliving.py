"""What one server has measured, the next one finds; what a visitor brought is not written down."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pages.parts.shared import outliving, quantizing
from pages.parts.super_resolution import measuring
from pages.parts.super_resolution.networks import DEFAULT, LoadedNetwork, loaded, of_network
from pages.parts.super_resolution.pictures import Subject, Whole, subject
from quantlib.imaging.samples import load_sample
from quantlib.models.loading import read_network
from quantlib.ptq import Settings
from quantlib.shipped import ASSETS
from quantlib.tasks.super_resolution import Measurement

DQA = Settings("dqa", bits=2)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    monkeypatch.setenv("BITLENS_CACHE", str(tmp_path))
    monkeypatch.setattr(outliving, "_store", None)
    outliving.keep_results()
    start_anew()
    yield tmp_path / "results"
    start_anew()


def start_anew() -> None:
    """As a server begins: with no result in memory."""
    for cache in (measuring._measured, quantizing._ranking, quantizing._quantized):
        cache.clear()


def small(whole: Whole | None = None) -> Subject:
    cat = subject("cat", 2)
    assert cat.truth is not None
    low, truth = cat.low[:24, :24], cat.truth[:48, :48]
    return replace(cat, digest="small cat", low=low, truth=truth, whole=whole)


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def same(one: Measurement, other: Measurement) -> bool:
    return (
        np.array_equal(one.rgb, other.rgb)
        and dict(one.ledger.sites) == dict(other.ledger.sites)
        and list(one.ledger.sites) == list(other.ledger.sites)
        and (one.psnr_y, one.seconds, one.scale) == (other.psnr_y, other.seconds, other.scale)
        and (one.weights, one.notes) == (other.weights, other.notes)
    )


def test_the_next_server_finds_measurement_and_ranking(folder, monkeypatch):
    network = loaded(DEFAULT)
    made = measuring.measured(small(), network, DQA)
    assert len(kept(folder)) == 2
    start_anew()

    def no_work(*_, **__):
        raise AssertionError("worked on again")

    monkeypatch.setattr(measuring, "measure", no_work)
    monkeypatch.setattr(quantizing, "rank", no_work)
    assert same(measuring.measured(small(), network, DQA), made)
    ranking = measuring.ranking_of(network, DQA)
    assert list(ranking.scores) == [site.name for site in network.sites.sites]
    with pytest.raises(AssertionError, match="worked on again"):
        measuring.measured(small(), network, replace(DQA, bits=3))


def test_other_code_measures_anew(folder, monkeypatch):
    network = loaded(DEFAULT)
    measuring.measured(small(), network, Settings("fp32"))
    start_anew()
    monkeypatch.setattr(outliving, "here", lambda: ("another version",))
    measuring.measured(small(), network, Settings("fp32"))
    assert len(kept(folder)) == 2


def test_a_visitors_own_picture_is_not_written_down(folder):
    picture = load_sample("cat", 48)
    measuring.measured(
        small(Whole("own", picture, reduced=True)), loaded(DEFAULT), Settings("fp32")
    )
    assert not kept(folder)


def test_a_visitors_own_network_is_not_written_down(folder):
    assert not kept(folder)
    measuring.measured(small(), own_network("mine.safetensors"), DQA)
    assert not kept(folder)


def own_network(name: str) -> LoadedNetwork:
    (weights,) = ASSETS.rglob("edsr-x2.safetensors")
    return of_network(read_network(weights.read_bytes(), name))
