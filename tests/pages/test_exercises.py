"""The exercises' answers, computed anew by the library, at the size that the pages begin with."""

import re
from collections.abc import Callable
from functools import cache
from urllib.parse import parse_qs

import numpy as np
import pytest
import torch
from torch import Tensor

from pages.parts.exercises.table import EXERCISES
from pages.parts.shared.layer_titles import layer_title
from quantlib.coding.prefix_code import code_lengths
from quantlib.imaging.samples import calibration_pictures, load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.importance.pairs import Pair, pairs_from
from quantlib.importance.preparing import prepare
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.qat.soft_rounding import phi, phi_slope
from quantlib.quantizers.dqa import fit_dqa
from quantlib.quantizers.uniform import fit_uniform
from quantlib.tasks.super_networks import skip_order, through_blocks
from quantlib.tasks.super_resolution import (
    Measurement,
    measure,
    open_network,
    reduced,
    sites_of,
)
from tests.pages.test_pages import fine, opened

SCALE, SIDE = 2, 256
EQUAL_RATIO = 0.8
EDSR, QUANTSR = "builtin:edsr-x2", "builtin:quantsr-c-x2-w4a4"


@cache
def photograph(key: str) -> tuple[np.ndarray, np.ndarray]:
    """Input and truth, as the pages begin with them."""
    return reduced(load_sample(key, SIDE).rgb, SCALE)


@cache
def pairs() -> list[Pair]:
    """What the pages rank channels on."""
    return pairs_from(calibration_pictures(), SCALE)


@cache
def measured(key: str, settings: Settings, name: str = EDSR) -> Measurement:
    network = open_network(name, settings)
    made = prepare(sites_of(network, settings.method), settings, pairs())
    return measure(made, photograph(key)[0], SCALE, photograph(key)[1])


def psnr(key: str, settings: Settings, name: str = EDSR) -> float:
    found = measured(key, settings, name).psnr_y
    assert found is not None
    return found


@cache
def activations(key: str) -> dict[str, Tensor]:
    """By layer, what it receives in full precision."""
    sites, found = sites_of(load(EDSR)), {}

    def visit(site, a, layer):
        found[site.name] = a.clone()
        return a

    with torch.inference_mode():
        sites.run(to_tensor(photograph(key)[0]), visit)
    return found


def counts(plane: Tensor, bits: int, extra: int) -> np.ndarray:
    quantizer = fit_dqa(plane[None, None], bits, extra, torch.tensor([True]))
    errors = quantizer.shifting_errors(quantizer.widened(plane[None, None]))
    return np.bincount(errors.numpy().ravel(), minlength=1 << extra)


def mean_length(of: np.ndarray) -> float:
    return float((code_lengths(of) * of).sum() / of.sum())


def entropy(of: np.ndarray) -> float:
    share = of[of > 0] / of.sum()
    return abs(float((share * np.log2(share)).sum()))


def typical(layer: Tensor) -> Tensor:
    means = layer.abs().mean((0, 2, 3))
    return layer[0, int((means - means.mean()).abs().argmin())]


def one_bit() -> list[str]:
    four, five = (psnr("cat", Settings("direct", n)) for n in (4, 5))
    return [f"{four:.2f}", f"{five:.2f} dB", f"{five - four:.2f} dB"]


def phi_nothing() -> list[str]:
    x = torch.linspace(-4, 4, 10_001, dtype=torch.float64)
    assert (phi_slope(x, 0.0) == 1).all()
    for k in (0.25, 1.0, 8.0):
        assert (phi(x, k).round() == x.round()).all() and (phi_slope(x, k) - 1).abs().max() > 0.001
    return ["k = 0"]


def outlier() -> list[str]:
    names = list(activations("astronaut"))
    plane = typical(activations("astronaut")[names[len(names) // 2]])

    def used(times: int) -> int:
        values = plane.flatten().clone()
        values[0] = times * values.abs().max()
        return len(fit_uniform(values, 4).to_int(values)[1:].unique())

    times = next(n for n in range(1, 41) if used(n) <= 3)
    return [f"{times} times", f"{used(1)} levels"]


def enough_bits() -> list[str]:
    full = psnr("cat", Settings("fp32"))
    lost = {n: full - psnr("cat", Settings("direct", n)) for n in (5, 6, 7, 8)}
    enough = min(n for n, one in lost.items() if one <= 0.1)
    return [f"{enough} bits", f"{lost[enough]:.2f} dB", f"{lost[enough - 1]:.2f} dB"]


def no_saving() -> list[str]:
    found = {
        name: mean_length(counts(typical(layer), 3, 3))
        for name, layer in activations("astronaut").items()
    }
    most = max(found, key=found.__getitem__)
    assert (activations("astronaut")[most] < 0).any()
    return [layer_title(most), f"{found[most]:.2f} bits"]


def criterion() -> list[str]:
    fisher, chance = (
        psnr("astronaut", Settings("dqa", 3, 3, 0.2, criterion=one)) for one in ("fisher", "random")
    )
    return [f"{fisher:.2f} dB", f"{chance:.2f} dB"]


def tables() -> list[str]:
    settings = Settings("dqa", 3, 3, 0.4)
    low, truth = photograph("astronaut")
    half = measured("astronaut", settings)
    network = open_network(EDSR, settings)
    made = prepare(sites_of(network), settings, pairs())
    side = low.shape[0] // 2
    small = measure(made, low[:side, :side], SCALE, truth[: SCALE * side, : SCALE * side])
    found = []
    for one in (half, small):
        sizes = one.ledger.total
        found.append(f"{32 * (sizes.tables + sizes.scales) / sizes.fp32:.3f}")
    return found


def blocks() -> list[str]:
    network = load(QUANTSR)
    order = skip_order(network)[::-1]
    low, truth = photograph("astronaut")

    def kept(count: int) -> float:
        found = through_blocks(network, sorted(order[:count]), low, truth).psnr_y
        assert found is not None
        return found

    assert len(order) == 16
    return [f"{kept(16):.2f} dB", f"12 blocks {kept(12):.2f} dB", f"8 blocks {kept(8):.2f} dB"]


def weights() -> list[str]:
    found = []
    for bits in (2, 4, 8):
        one = measured("astronaut", Settings("rlq", bits))
        found += [f"{one.weights.total / 1024:,.0f} KiB", f"{one.psnr_y:.2f} dB"]
    return found


def below_one_bit() -> list[str]:
    most = (0.0, "", 0, 0.0, 0.0)
    for name, layer in activations("astronaut").items():
        for channel in range(layer.shape[1]):
            plane = layer[0, channel]
            if plane.any():
                of = counts(plane, 3, 3)
                mean, least = mean_length(of), entropy(of)
                most = max(most, (mean - least, name, channel, mean, least))
    _, name, channel, mean, least = most
    return [layer_title(name), f"channel {channel} ", f"{mean:.2f}", f"{least:.2f} bits"]


def equal_bytes() -> list[str]:
    direct = measured("astronaut", Settings("direct", 4))
    dqa = measured("astronaut", Settings("dqa", 3, 1, EQUAL_RATIO))
    papers = measured("astronaut", Settings("dqa", 3, 3, 0.4))
    assert dqa.ledger.total.total <= direct.ledger.total.total
    return [
        f"r = {EQUAL_RATIO:g}",
        f"{dqa.psnr_y:.2f} dB",
        f"{direct.psnr_y:.2f} dB",
        f"{dqa.ledger.bits_per_activation:.2f}",
        f"{direct.ledger.bits_per_activation:.2f} bits",
        f"{papers.psnr_y:.2f} dB for {papers.ledger.bits_per_activation:.2f} bits",
    ]


ANSWERS: dict[str, Callable[[], list[str]]] = {
    "one-bit": one_bit,
    "phi-nothing": phi_nothing,
    "outlier": outlier,
    "enough-bits": enough_bits,
    "no-saving": no_saving,
    "criterion": criterion,
    "tables": tables,
    "blocks": blocks,
    "weights": weights,
    "below-one-bit": below_one_bit,
    "equal-bytes": equal_bytes,
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.key)
def test_the_answer_is_what_the_library_says(exercise, capsys):
    if exercise.code:
        exec(exercise.code, {})
        assert capsys.readouterr().out.startswith("True ")
        return
    for number in ANSWERS[exercise.key]():
        assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d])", exercise.answer), number


def test_there_are_twelve_from_five_minutes_to_an_hour():
    minutes = [one.minutes for one in EXERCISES]
    assert len(EXERCISES) == 12 and minutes == sorted(minutes)
    assert minutes[0] == 5 and minutes[-1] == 60
    assert ANSWERS.keys() == {one.key for one in EXERCISES if not one.code}


@pytest.fixture(scope="module")
def page():
    app = opened("exercises")
    assert fine(app)
    return app


@pytest.mark.parametrize("place", range(len(EXERCISES)), ids=[one.key for one in EXERCISES])
def test_an_exercise_begins_where_its_link_leads(place: int, page, few_points):
    url = page.get("link_button")[place].proto.url
    stem, _, query = url.partition("?")
    values = {key: value[0] for key, value in parse_qs(query).items()}
    assert stem == EXERCISES[place].page and values == EXERCISES[place].query
    app = opened(stem, **values)
    assert fine(app)
    titles = {one.proto.query_param_key: one for one in (*app.slider, *app.toggle)}
    for key, value in values.items():
        if key in titles:
            assert f"{titles[key].value:g}".lower() in (value, "1")


def test_hint_and_answer_wait_behind_a_click(page):
    assert [one.label for one in page.expander] == ["Hint", "Answer"] * len(EXERCISES)
    assert not any(one.proto.expanded for one in page.expander)
