"""Networks are ranked and quantized once, whoever asks and whatever their task."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit as st
import torch

from pages.parts.shared import quantizing
from pages.parts.shared.caching import forget_all
from pages.parts.shared.quantizing import Quantizable, known_search, quantized, ranking_of
from quantlib.importance import rank
from quantlib.importance.pairs import Pair
from quantlib.ptq import Settings, SiteNetwork
from quantlib.ptq.methods import METHODS
from tests.importance.three_convolutions import network, pairs
from tests.pages.test_pages import fine, opened

DQA = Settings("dqa", 3, 3)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The criteria of all rankings that are made, none of which is known at first."""
    asked: list[str] = []

    def counted(sites, examples, criterion, *numbers, **options):
        asked.append(criterion)
        return rank(sites, examples, criterion, *numbers, **options)

    monkeypatch.setattr(quantizing, "rank", counted)
    forget()
    yield asked
    forget()


def forget() -> None:
    st.cache_resource.clear()
    forget_all()


def tiny(name: str = "tiny", examples: str = "two pairs") -> Quantizable:
    """A new object at every call, as another visitor would bring it."""
    sites = SiteNetwork(network(), torch.rand(1, 3, 6, 6))
    return Quantizable((name,), sites, examples, pairs())


def test_a_network_is_quantized_once_for_all_visitors(made):
    assert quantized(tiny(), DQA) is quantized(tiny(), DQA)
    assert quantized(tiny(), DQA) is not quantized(tiny(), replace(DQA, important=0.5))
    assert made == ["fisher"]


@pytest.mark.parametrize("other", [tiny("other"), tiny(examples="other pairs")])
def test_another_network_and_other_examples_are_other_entries(other, made):
    assert quantized(tiny(), DQA) is not quantized(other, DQA)
    assert made == ["fisher", "fisher"]


@pytest.mark.parametrize(
    ("criterion", "rankings"), [("fisher", 1), ("random", 1), ("gain", 4), ("greedy", 2)]
)
def test_a_ranking_is_made_anew_for_the_bits_it_depends_on(criterion, rankings, made):
    for bits, extra_bits in [(3, 3), (3, 2), (4, 3), (4, 2), (3, 3)]:
        ranking_of(tiny(), Settings("dqa", bits, extra_bits, criterion=criterion))
    assert made == [criterion] * rankings


def test_a_search_is_known_once_it_has_been_made():
    greedy = replace(DQA, criterion="greedy")
    assert known_search(tiny(), greedy) is None
    found = ranking_of(tiny(), greedy)
    assert known_search(tiny(), greedy) is found
    assert known_search(tiny(), replace(greedy, bits=5)) is None
    assert known_search(tiny("other"), greedy) is None


def test_a_search_that_is_ended_is_not_known():
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    greedy = replace(DQA, criterion="greedy")
    with pytest.raises(KeyboardInterrupt):
        ranking_of(tiny(), greedy, stop)
    assert known_search(tiny(), greedy) is None


@pytest.mark.parametrize("method", [name for name, one in METHODS.items() if not one.learned])
def test_the_cache_gives_what_the_library_gives(method):
    x = torch.rand(1, 3, 48, 48)
    settings = Settings(method, 3, 2, scales="frozen")
    subject = replace(tiny(), examples=[Pair(x, x)])
    expected = quantizing.prepare(subject.sites, settings, subject.examples)
    torch.testing.assert_close(quantized(subject, settings)(x), expected(x), rtol=0, atol=0)


def test_at_another_depth_the_page_ranks_what_reproduce_ranks(capsys):
    query = {"network": "builtin:quantsr-c-x2-w4a4", "depth": "half", "bits": "2"}
    app = opened("workbench", picture="Cat", **query)
    assert fine(app)
    exec(next(c.value for c in app.code if c.language == "python"), {})
    psnr, _, bits = capsys.readouterr().out.split()
    assert f"keeps {float(psnr):.2f} of" in app.subheader[0].value
    assert f"at {float(bits):.2f} bits per activation" in app.subheader[0].value
