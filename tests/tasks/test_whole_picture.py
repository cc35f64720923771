"""Whole pictures, written in tiles, hold what is measured, transparency and colours."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging.colour import from_srgb
from quantlib.imaging.opacity import enlarged, visible
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.reading import Picture
from quantlib.imaging.samples import load_sample
from quantlib.models import SRNetwork
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings
from quantlib.tasks import tiles
from quantlib.tasks.super_resolution import default_pairs, measure, prepare, reduced, sites_of
from quantlib.tasks.whole_picture import MOST_PIXELS, as_input, check_result, cost, write_whole

HEIGHT, WIDTH = 70, 54


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    inside = EDSR(2, features=4, blocks=1)
    edsr = SRNetwork(inside, "EDSR", 2, receptive_radius=inside.receptive_radius)
    return sites_of(edsr), default_pairs(edsr)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 400)
    monkeypatch.setattr(tiles, "TILE", 32)


def quantized(network, method="dqa"):
    sites, pairs = network
    return prepare(sites, Settings(method, 3), pairs)


def picture(alpha: bool = False, profile: bytes | None = None) -> Picture:
    rgb = load_sample("cat").rgb[:HEIGHT, :WIDTH]
    seen = np.tile(np.arange(WIDTH, dtype=np.uint8) * 5, (HEIGHT, 1)) if alpha else None
    return Picture(rgb, seen, "cat.png", profile=profile)


def written(network, given: Picture, watch=lambda done, total: None) -> np.ndarray:
    file = BytesIO()
    write_whole(network, given, 2, file, watch)
    with Image.open(file) as image:
        assert image.info.get("icc_profile") == given.profile
        return np.asarray(image)


@pytest.mark.parametrize("method", ["fp32", "dqa", "direct"])
def test_the_file_holds_what_is_measured(network, method):
    one = quantized(network, method)
    seen = []
    made = written(one, picture(), lambda done, total: seen.append((done, total)))
    np.testing.assert_array_equal(made, measure(one, picture().rgb, 2).rgb)
    assert set(seen[:-7]) <= {(0, 6)}  # while scales are taken
    assert seen[-7:] == [(done, 6) for done in range(7)]


def test_its_bytes_are_those_that_are_measured(network):
    one = quantized(network)
    ledger = write_whole(one, picture(), 2, BytesIO(), lambda done, total: None)
    assert ledger.total == measure(one, picture().rgb, 2).ledger.total


def test_transparency_is_kept_and_enlarged_on_its_own(network):
    one, given = quantized(network), picture(alpha=True)
    made = written(one, given)
    alpha = enlarged(given.alpha, 2 * HEIGHT, 2 * WIDTH)
    assert alpha is not None and np.abs(made[..., 3].astype(int) - alpha).max() <= 1
    seen = visible(given.rgb, given.alpha)
    np.testing.assert_array_equal(made[..., :3], measure(one, seen, 2).rgb)


def test_colours_are_stored_in_the_profile_of_the_file(network):
    profile = profile_of_primaries(1.0)
    assert profile is not None
    one = quantized(network)
    made = written(one, picture(profile=profile))
    plain = measure(one, picture().rgb, 2).rgb
    assert np.abs(made.astype(int) - plain).mean() > 5
    np.testing.assert_array_equal(made, from_srgb(plain, profile))


def test_a_budget_is_kept_to_with_one_pass(network):
    sites, pairs = network
    one = prepare(sites, Settings("entropy", bits_per_activation=2.5), pairs)
    seen = []
    ledger = write_whole(one, picture(), 2, BytesIO(), lambda done, total: seen.append(done))
    assert seen[-7:] == list(range(7)) and not any(seen[:-7])
    assert 0.8 * 2.5 < ledger.bits_per_activation < 1.1 * 2.5


def test_the_truth_goes_in_reduced_with_its_transparency():
    given = picture(alpha=True)
    low = as_input(given, 2)
    assert low.alpha is not None and low.rgb.shape[:2] == low.alpha.shape == (35, 27)
    np.testing.assert_array_equal(low.rgb, reduced(visible(given.rgb, given.alpha), 2)[0])
    ramp = 5 * (np.arange(27) * 2 + 0.5)  # halfway between two columns
    assert np.abs(low.alpha - ramp)[:, 3:-3].max() <= 0.5


@pytest.mark.parametrize("at", [0, 2])
def test_stopping_ends_the_work(network, at):
    def stop(done: int, total: int) -> None:
        assert done <= at
        if done == at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_whole(quantized(network), picture(), 2, BytesIO(), stop)


def test_the_cost_is_that_of_all_tiles(network, monkeypatch):
    one = quantized(network, "fp32")
    found = cost(one, picture(), 2)
    assert found.tiles == 6 and found.seconds > 0
    more = Picture(np.tile(picture().rgb, (4, 1, 1)), None, "cats.png")
    assert cost(one, more, 2).tiles == 18
    assert found.memory > picture().rgb.nbytes + 3 * 2 * 32 * 2 * WIDTH
    monkeypatch.setattr("quantlib.tasks.whole_picture.most_taken", lambda work: 10**9)
    assert cost(one, picture(), 2).memory > 10**9  # what a tile takes is measured


def test_a_result_of_too_many_pixels_is_one_sentence():
    check_result(10_000, MOST_PIXELS // 10_000)
    with pytest.raises(QuantlibError, match="24,000×16,000 pixels, above the limit of 100 mega"):
        check_result(24_000, 16_000)
