"""What a training step makes small."""

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from quantlib.qat.depth import DEPTHS, DepthDynamic, importance_order
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.training.super_resolution.compiled import passes
from quantlib.training.super_resolution.recipe import Recipe


class Objective:
    """L1 distance to the original; of a depth-dynamic network the weighted mean of its depths.

    The depths follow after `recipe.plain_steps` at full depth (QuantSR's two stages); the order of
    the blocks is then taken from the learned shortcuts. What the quantizers ask for as a penalty
    and the distance to a teacher's output are added.
    """

    def __init__(self, network: DepthDynamic, recipe: Recipe, teacher: nn.Module | None) -> None:
        self.network, self.recipe, self.teacher = network, recipe, teacher
        modules = network.modules()
        self.quantizers = [m for m in modules if isinstance(m, LearnedQuantizer)]
        self.weights = {"full": recipe.full_weight, "half": recipe.half_weight, "quarter": 1.0}
        self.plain, self.joint = passes(network, recipe.steps), list[DepthDynamic]()

    def __call__(self, low: Tensor, high: Tensor, step: int) -> Tensor:
        wanted = self._output_of_teacher(low)
        depths = self._depths(step)
        losses = [self._distance(depth(low).float(), high, wanted) for depth in depths]
        weights = [1.0] if len(depths) == 1 else [self.weights[depth] for depth in DEPTHS]
        weighted = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
        penalties = sum(quantizer.penalty() for quantizer in self.quantizers)
        return torch.stack(weighted).sum() / sum(weights) + penalties

    def _depths(self, step: int) -> list[DepthDynamic]:
        if not self.recipe.depths or step < self.recipe.plain_steps:
            return [self.plain]
        if not self.joint:
            self.joint = self._begin_joint(step)
        return self.joint

    def _begin_joint(self, step: int) -> list[DepthDynamic]:
        if self.recipe.plain_steps and step == self.recipe.plain_steps:
            order = importance_order(self.network.shortcuts.detach())
            self.network.block_order.copy_(torch.tensor(order))
        depths = [self.recipe.alone] if self.recipe.alone else DEPTHS
        return [passes(self.network.at_depth(depth), self.recipe.steps) for depth in depths]

    def _output_of_teacher(self, low: Tensor) -> Tensor | None:
        if self.teacher is None or not self.recipe.distillation:
            return None
        with torch.no_grad():
            return self.teacher(low).float()

    def _distance(self, output: Tensor, high: Tensor, wanted: Tensor | None) -> Tensor:
        distance = l1_loss(output, high)
        if wanted is None:
            return distance
        return distance + self.recipe.distillation * l1_loss(output, wanted)


@torch.no_grad()
def start_quantizers(network: nn.Module, low: Tensor) -> None:
    """Sets the starting ranges of all quantizers from what full precision makes of one batch."""
    quantizers = [m for m in network.modules() if isinstance(m, LearnedQuantizer)]
    if all(quantizer.initialised for quantizer in quantizers):
        return
    hooks = [q.register_forward_hook(lambda q, inputs, levels: inputs[0]) for q in quantizers]
    network(low)
    for hook in hooks:
        hook.remove()
