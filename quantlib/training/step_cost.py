"""What a training step costs with quantizers, relative to the same step in FP32."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor, nn

from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.rlq import RLQ
from quantlib.qat.soft_rounding import phi
from quantlib.training.loop import bfloat16
from quantlib.training.super_resolution.compiled import WORTH_COMPILING, keep_freed_memory, passes
from quantlib.training.super_resolution.objective import start_quantizers
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network

RECIPE = Recipe("step-cost", scale=2, features=32, blocks=16, batch=16, patch=32)
WARM_UP = 4


def composed(quantizer: RLQ, x: Tensor) -> Tensor:
    """RLQ as a chain of PyTorch's own operations, whose gradients autograd finds.

    >>> quantizer, x = RLQ(2), torch.tensor([-0.4, 0.3, 0.9])
    >>> torch.equal(composed(quantizer, x), quantizer.quantize(x))
    True
    """
    low, high = quantizer.bitwidth.qmin, quantizer.bitwidth.qmax
    step, scale = quantizer.step, (x.numel() * high) ** -0.5
    step = step * scale + (step - step * scale).detach()
    if quantizer.shift is not None:
        x = x + quantizer.shift.view(-1, 1, 1)
    clipped = (x / step).clamp(low, high)
    soft = phi(clipped, quantizer.k)
    return (soft + (clipped.round() - soft).detach()) * step


def relative_costs(repeats: int = 20, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Seconds of an FP32 step, and those of others relative to it: RLQ W4A4, fused and composed.

    All are compiled as the training loop does it (`fp32 uncompiled` is what that does to FP32), and
    the chain of operations also stands as PyTorch runs it without. The steps take turns, so that
    what else the machine does meets all of them; medians.
    """
    quantized, short = replace(recipe, method="rlq"), WORTH_COMPILING - 1
    keep_freed_memory()
    steps = {
        "fp32_seconds": _stepper(recipe),
        "fp32 uncompiled": _stepper(replace(recipe, steps=short)),
        "rlq": _stepper(quantized),
        "rlq composed": _stepper(quantized, composed),
        "rlq composed uncompiled": _stepper(replace(quantized, steps=short), composed),
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(WARM_UP + repeats):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - started)
    medians = {name: median(times[WARM_UP:]) for name, times in taken.items()}
    full = medians["fp32_seconds"]
    return {name: t if name == "fp32_seconds" else t / full for name, t in medians.items()}


def _stepper(
    recipe: Recipe, quantize: Callable[[RLQ, Tensor], Tensor] | None = None
) -> Callable[[], None]:
    """One training step on random patches, with `quantize` in the place of RLQ's operator."""
    network = fresh_network(recipe)
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    low = torch.rand(recipe.batch, 3, recipe.patch, recipe.patch)
    low = low.contiguous(memory_format=torch.channels_last)
    high = torch.rand(*low.shape[:2], *(recipe.scale * n for n in low.shape[2:]))
    start_quantizers(network, low)
    if quantize is not None:
        for module in network.modules():
            if isinstance(module, LearnedQuantizer):
                module.quantize = lambda x, q=module: quantize(q, x)  # type: ignore[method-assign]
    optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate, fused=True)
    run = passes(network, recipe.steps)

    def step() -> None:
        with bfloat16(low.device):
            loss = nn.functional.l1_loss(run(low).float(), high)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step
