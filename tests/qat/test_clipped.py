"""Clipped formulas in a compiled kernel give what they give as they are."""

import pytest
import torch
from torch import Tensor

from quantlib.qat import clipped, fused
from quantlib.qat.fused import uncompiled
from tests.qat.test_rlq import needs_a_compiler


@needs_a_compiler
@pytest.mark.parametrize(
    "formula", [clipped._fused_levels, clipped._gradients], ids=["levels", "d"]
)
def test_compiled_kernels_give_what_the_formula_gives(formula):
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(4, fused.WORTH_COMPILING // 2, generator=generator)
    lower, upper = -torch.rand(4, 1, generator=generator), torch.rand(4, 1, generator=generator)
    step = (upper - lower) / 7
    bounds = lower, upper, step, lower

    def run() -> tuple[Tensor, ...]:
        if formula is clipped._gradients:
            return formula(x, x.sin(), *bounds, 0, 7, 0.5)
        return (formula(x, *bounds, 0, 7, torch.float32),)

    made = run()
    with uncompiled():
        wanted = run()
    for one, other in zip(made, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-4)
