import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from quantlib.errors import QuantlibError
from quantlib.importance import Ranking, rank
from quantlib.importance.pairs import pairs_from
from quantlib.ptq import SiteNetwork
from tests.examples import examples
from tests.importance.three_convolutions import network, pairs


@examples(100)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.floats(0, 1))
def test_masks_hold_the_first_of_the_order(scores, ratio):
    ranking = Ranking("energy", {"layer": torch.tensor(scores).float()}, 0.0)
    order = ranking.order("layer").tolist()
    # sorted is stable: of equal channels the first comes first
    assert order == sorted(range(len(scores)), key=lambda c: -scores[c])
    mask = ranking.mask("layer", ratio)
    count = round(ratio * len(scores))
    assert mask.dtype == torch.bool
    assert set(mask.nonzero().flatten().tolist()) == set(order[:count])
    assert ranking.masks(ratio)["layer"].tolist() == mask.tolist()


@pytest.mark.parametrize(("ratio", "channels"), [(0.4, 13), (0.0, 0), (1.0, 32), (0.55, 18)])
def test_how_many_of_32_channels_are_important(ratio, channels):
    ranking = Ranking("energy", {"layer": torch.rand(32)}, 0.0)
    assert ranking.mask("layer", ratio).sum() == channels


def test_correlation_is_spearmans():
    random = np.random.default_rng(2)
    for _ in range(5):
        scores = [
            {name: torch.from_numpy(random.standard_normal(n)) for name, n in (("a", 7), ("b", 30))}
            for _ in range(2)
        ]
        found = [np.asarray(spearmanr(scores[0][s], scores[1][s]))[0] for s in ("a", "b")]
        wanted = float(np.mean(found))
        first, second = (Ranking("energy", s, 0.0) for s in scores)
        assert first.correlation(second) == pytest.approx(wanted)
        assert second.correlation(first) == pytest.approx(wanted)
        assert first.correlation(first) == pytest.approx(1)


def test_a_reversed_ranking():
    scores = torch.arange(6.0)
    up, down = Ranking("energy", {"a": scores}, 0.0), Ranking("fisher", {"a": -scores}, 0.0)
    assert up.correlation(down) == pytest.approx(-1)


def test_one_channel_correlates_with_itself():
    one = Ranking("energy", {"a": torch.ones(1)}, 0.0)
    assert one.correlation(one) == 1


def test_rankings_of_different_networks():
    with pytest.raises(QuantlibError, match="different networks"):
        Ranking("energy", {"a": torch.ones(2)}, 0.0).correlation(
            Ranking("energy", {"b": torch.ones(2)}, 0.0)
        )


def test_random_rankings_follow_their_seed():
    sites = SiteNetwork(network(features=16), pairs()[0].low)
    orders = [rank(sites, [], "random", seed=seed).order("first").tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == list(range(16))
    layers = rank(sites, [], "random", seed=1)
    assert layers.order("first").tolist() != layers.order("second").tolist()


def test_random_rankings_leave_the_global_generator_alone():
    sites = SiteNetwork(network(), pairs()[0].low)
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    rank(sites, [], "random")
    assert torch.equal(torch.rand(3), wanted)


def test_what_a_ranking_says_of_itself():
    ranking = rank(SiteNetwork(network(), pairs()[0].low), pairs(), "energy")
    assert ranking.criterion == "energy"
    assert 0 < ranking.seconds < 60
    with pytest.raises(QuantlibError, match="There is no criterion 'taste'"):
        rank(SiteNetwork(network(), pairs()[0].low), pairs(), "taste")


def test_calibration_pairs():
    rgb = np.random.default_rng(0).integers(0, 256, (21, 14, 3), np.uint8)
    (pair,) = pairs_from([rgb], 4)
    assert (pair.low.shape, pair.high.shape) == ((1, 3, 5, 3), (1, 3, 20, 12))
    assert torch.equal(
        (pair.high * 255).round().byte(), torch.from_numpy(rgb[:20, :12]).movedim(2, 0)[None]
    )
    assert torch.allclose(pair.low.mean(), pair.high.mean(), atol=0.05)


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [([], "at least one picture"), ([np.zeros((3, 9, 3), np.uint8)], "9×3 pixels is too small")],
)
def test_calibration_pairs_that_cannot_be(pictures, sentence):
    with pytest.raises(QuantlibError, match=sentence):
        pairs_from(pictures, 4)
