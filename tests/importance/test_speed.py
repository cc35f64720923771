"""What ranking computes, and that saving passes changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torchvision.models.resnet import BasicBlock

from quantlib.importance import rank
from quantlib.importance.example import AnnotatedBatch, Example, LabelledBatch
from quantlib.importance.greedy import greedy
from quantlib.importance.rank import rank_by_all
from quantlib.models import Classifier
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.mobilenetv2 import mobilenet
from quantlib.models.architectures.unet import UNet
from quantlib.ptq import SiteNetwork
from tests.importance.nested_loop import nested_loop


class Smooth(LabelledBatch):
    """Judged by the logits of the right classes, which hardly ever tie."""

    def quality(self, output):
        return output.gather(1, self.labels[:, None])[:, 0]


class SmoothPixels(AnnotatedBatch):
    def quality(self, output):
        return output.gather(1, self.labels[:, None]).mean((1, 2, 3))


def labelled(count: int, side: int = 16, seed: int = 0) -> Smooth:
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (count,), generator=random)
    return Smooth(torch.rand(count, 3, side, side, generator=random), labels)


def pixels(count: int) -> SmoothPixels:
    random = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (count, 16, 16), generator=random)
    return SmoothPixels(torch.rand(count, 3, 16, 16, generator=random), labels)


def in_place() -> nn.Module:
    """Blocks that write on their convolutions' results; the input of one feeds two layers."""
    shortcut = nn.Conv2d(4, 6, 1, stride=2)
    blocks = BasicBlock(4, 4), BasicBlock(4, 6, 2, shortcut), BasicBlock(6, 6)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
    return nn.Sequential(nn.Conv2d(3, 4, 3), *blocks, head)


def depthwise() -> nn.Module:
    stages = mobilenet(width=0.1).features[:5]
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Example]] = {
    "option A": (lambda: CifarResNet(blocks=1, features=4), labelled(2)),
    "in place": (in_place, labelled(2)),
    "depthwise": (depthwise, labelled(2)),
    "skips across the middle": (lambda: UNet(classes=3, features=2), pixels(2)),
}


@pytest.mark.parametrize("which", NETWORKS)
def test_greedy_orders_as_the_nested_loop_does(which):
    torch.manual_seed(0)
    make, example = NETWORKS[which]
    net = make().eval().requires_grad_(False)
    sites = SiteNetwork(net, example.input)
    found, wanted = rank(sites, [example], "greedy"), nested_loop(sites, [example], 3)
    for name, scores in wanted.items():
        torch.testing.assert_close(found.scores[name], scores, rtol=1e-4, atol=1e-5)
        assert int(found.scores[name].argmax()) == int(scores.argmax())


class Work(TorchDispatchMode):
    """Counts the values that operations write, and their floating-point operations, in a thread."""

    values = operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        self.values += sum(x.numel() for x in tree_leaves(made) if isinstance(x, Tensor))
        if count := flop_registry.get(func._overloadpacket):
            self.operations += count(*args, **kwargs, out_val=made)
        return made


def work_of(f: Callable[[], object]) -> Work:
    with Work() as counting:
        f()
    return counting


def test_all_one_pass_criteria_compute_one_pass_together():
    """2,000 channels: ResNet-56. Around the pass it is a few sums of every activation."""
    torch.manual_seed(0)
    net = Classifier(CifarResNet(blocks=9), "ResNet-56", 10)
    example = labelled(2, side=32)
    sites = SiteNetwork(net, example.input, inside="network")
    assert sum(site.channels for site in sites.sites) == 1968

    def forward_and_backward() -> None:
        x = example.input.clone().requires_grad_()
        torch.autograd.grad(example.loss(net(x)), x)

    once, all_criteria = (
        work_of(forward_and_backward),
        work_of(lambda: rank_by_all(sites, [example])),
    )
    assert 0 < all_criteria.operations <= once.operations
    assert all_criteria.values <= 3.5 * once.values


@contextmanager
def counted() -> Iterator[list[int]]:
    """The multiplications of every convolution and linear layer that is computed, in any thread."""
    found: list[int] = []

    def counting(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(x: Tensor, weight: Tensor, *more: Any, **named: Any) -> Tensor:
            made = function(x, weight, *more, **named)
            found.append(made.numel() * weight[0].numel())
            return made

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("conv2d", "linear"):
            patch.setattr(functional, name, counting(getattr(functional, name)))
        yield found


def test_greedy_computes_two_fifths_of_the_nested_loop_at_most():
    """As a network is resumed behind the layers that are the same for all candidates."""
    torch.manual_seed(0)
    net = Classifier(CifarResNet(blocks=3, features=4), "ResNet-20", 10)
    example = labelled(1)
    sites = SiteNetwork(net, example.input, inside="network")
    with counted() as fast:
        greedy(sites, [example], 3, lambda done, total: None)
    with counted() as slow:
        nested_loop(sites, [example], 3)
    assert sum(fast) <= 0.4 * sum(slow)
    assert len(fast) <= len(slow) / 10, "several candidates at once"


def test_one_pass_for_all_gives_what_each_gives():
    torch.manual_seed(0)
    net = CifarResNet(blocks=1, features=4).eval().requires_grad_(False)
    example = labelled(3)
    sites = SiteNetwork(net, example.input)
    for criterion, ranking in rank_by_all(sites, [example], 2, 1).items():
        alone = rank(sites, [example], criterion, 2, 1)
        for name, scores in alone.scores.items():
            assert torch.equal(ranking.scores[name], scores)
