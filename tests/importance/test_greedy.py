import copy

import numpy as np
import pytest
import torch

from quantlib.importance import rank
from quantlib.importance.pairs import Pair
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import SiteNetwork
from tests.importance.three_convolutions import network, pairs


def direct_except(a: np.ndarray, bits: int, channel: int) -> np.ndarray:
    """The direct quantizer on every channel but one."""
    values = a.copy()
    for c in range(a.shape[1]):
        if c != channel:
            largest = np.abs(a[:, c]).max()
            step = np.float32(largest) / np.float32(2 ** (bits - 1)) or np.float32(1)
            q = np.clip(np.rint(a[:, c] / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            values[:, c] = q * step
    return values


def psnr(net, kept: dict[str, int], bits: int, examples: list[Pair]) -> float:
    """Mean PSNR over RGB in [0, 1], with the layers in `kept` quantized by plain hooks."""
    twin = copy.deepcopy(net)
    for name, channel in kept.items():

        def hook(module, inputs, channel=channel):
            return torch.from_numpy(direct_except(inputs[0].numpy(), bits, channel))

        twin.get_submodule(name).register_forward_pre_hook(hook)
    found = []
    with torch.no_grad():
        for pair in examples:
            error = (twin(pair.low).clamp(0, 1) - pair.high).double().square().mean().item()
            found.append(-10 * np.log10(error))
    return float(np.mean(found))


def algorithm_3(net, layers: dict[str, int], bits: int, examples: list[Pair]):
    """The nested loop as it is printed: P of the earlier layers, one candidate at a time."""
    most_important: dict[str, int] = {}
    scores: dict[str, list[float]] = {}
    for layer, channels in layers.items():
        scores[layer] = []
        for channel in range(channels):
            kept = dict(most_important)
            kept[layer] = channel
            scores[layer].append(psnr(net, kept, bits, examples))
        most_important[layer] = int(np.argmax(scores[layer]))
    return scores


EDSR_LAYERS = ["body.0.body.0", "body.0.body.2", "body.1", "tail.0.0"]


def edsr_pairs() -> list[Pair]:
    generator = torch.Generator().manual_seed(4)
    return [
        Pair(
            torch.rand(1, 3, 6, 5, generator=generator),
            torch.rand(1, 3, 12, 10, generator=generator),
        )
        for _ in range(2)
    ]


@pytest.mark.parametrize("bits", [2, 3])
@pytest.mark.parametrize("which", ["three convolutions", "EDSR"])
def test_the_order_is_that_of_the_printed_loop(which, bits):
    if which == "EDSR":
        torch.manual_seed(3)
        net, examples = EDSR(2, features=3, blocks=1).eval().requires_grad_(False), edsr_pairs()
        layers = dict.fromkeys(EDSR_LAYERS, 3)
    else:
        net, examples = network().requires_grad_(False), pairs()
        layers = {"first": 4, "second": 4}
    found = rank(SiteNetwork(net, examples[0].low), examples, "greedy", bits)
    wanted = algorithm_3(net, layers, bits, examples)
    assert list(found.scores) == list(layers)
    for name, scores in wanted.items():
        np.testing.assert_allclose(found.scores[name].numpy(), scores, rtol=1e-5)
        np.testing.assert_array_equal(found.order(name), np.argsort(scores)[::-1])
        assert np.ptp(scores) > 1e-4


def test_progress_counts_the_candidates(monkeypatch):
    monkeypatch.setattr("quantlib.importance.greedy.VALUES_AT_ONCE", 1)
    seen = []
    sites = SiteNetwork(network(), pairs()[0].low)
    rank(sites, pairs(), "greedy", watch=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 8) for done in range(9)]


def test_what_the_watcher_raises_ends_the_search(monkeypatch):
    monkeypatch.setattr("quantlib.importance.greedy.VALUES_AT_ONCE", 1)

    class StoppedError(Exception):
        pass

    passes = []

    def stop(done: int, total: int) -> None:
        passes.append(done)
        if done == 3:
            raise StoppedError

    sites = SiteNetwork(network(), pairs()[0].low)
    with pytest.raises(StoppedError):
        rank(sites, pairs(), "greedy", watch=stop)
    assert passes == [0, 1, 2, 3]
