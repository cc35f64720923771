"""RLQ against a rival, step by step: two small networks trained from one start on one data."""

import copy
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import PHOTOGRAPHS, load_sample
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.fused import uncompiled
from quantlib.qat.scheme import LEARNED, OURS, RIVALS, Scheme, quantize_layers
from quantlib.training.loop import learning_rate
from quantlib.training.super_resolution.held_out import SAMPLE as HELD_OUT
from quantlib.training.super_resolution.objective import Objective, start_quantizers
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import scheme_of

START, FP32 = "builtin:edsr-x2", "fp32"
FEATURES, BLOCKS, SCALE = 32, 4, 2
HELD_OUT_SIDE = 192
TRAINED_ON = tuple(key for key in PHOTOGRAPHS if key != HELD_OUT)


@dataclass(frozen=True)
class Contest:
    """RLQ with φ of softness `k` against `rival`, weights and activations of `bits` bits.

    Both begin with the same network: the ends and the first four of the sixteen blocks of
    `builtin:edsr-x2`, trained for `start_steps` in full precision so that they fit together. Then
    both are trained for `steps` on the same batches; each tenth (`picture_every`) step they
    enlarge the photograph that is held out.

    >>> Contest("lsq", steps=100).slices
    302
    """

    rival: str = "lsq"
    bits: int = 2
    k: float = 1.0
    steps: int = 300
    seed: int = 0
    start_steps: int = 100
    picture_every: int = 10

    def __post_init__(self) -> None:
        if self.rival not in RIVALS:
            raise QuantlibError(f"RLQ has no rival {self.rival!r}; choose {', '.join(RIVALS)}.")
        if min(self.steps, self.start_steps, self.picture_every) < 1:
            raise QuantlibError("A contest needs at least one step; choose a larger number.")
        if self.k < 0:
            raise QuantlibError(f"The softness k cannot be negative, as {self.k} is.")
        Scheme(self.rival, self.bits, self.bits)

    @property
    def methods(self) -> tuple[str, str]:
        return OURS, self.rival

    @property
    def slices(self) -> int:
        """How many moments `compete` yields."""
        return self.start_steps + 2 + 2 * self.steps

    def recipe(self, method: str) -> Recipe:
        """Everything that decides how a contestant, or the start ("fp32"), is trained."""
        return Recipe(
            f"live-{method}",
            SCALE,
            FEATURES,
            BLOCKS,
            steps=self.start_steps if method == FP32 else self.steps,
            batch=8,
            patch=24,
            learning_rate=1e-3,
            warmup=10,
            seed=self.seed,
            start=START,
            method="" if method == FP32 else method,
            weight_bits=self.bits,
            activation_bits=self.bits,
            k=self.k if method in LEARNED and LEARNED[method].has_softness else 1.0,
        )


class Moment(NamedTuple):
    """`method` has done `step` steps; `loss` is that of the last one, over its batch.

    `picture` is the held-out photograph as the network enlarges it now, `uint8 (H, W, 3)`, where it
    was asked for it.
    """

    method: str
    step: int
    loss: float | None
    picture: np.ndarray | None


class SamplePatches(PatchSource):
    """Patches of the sample photographs, all but the one that is held out."""

    def __init__(self, patch: int) -> None:
        self.scale, self.patch = SCALE, patch
        photographs = [load_sample(key).rgb for key in TRAINED_ON]
        self.pairs = [(_reduced(high), high) for high in photographs]


class Contestant:
    """A network in training, with its loss and its optimiser.

    Its formulas are not compiled: that would take longer than some hundred of these small steps.
    """

    @uncompiled()
    def __init__(self, network: EDSR, recipe: Recipe, first: Tensor) -> None:
        self.network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.recipe = recipe
        start_quantizers(network, first)
        self.objective = Objective(network, recipe, None)
        learned = [p for p in network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(learned, recipe.learning_rate)

    @uncompiled()
    def advance(self, step: int, low: Tensor, high: Tensor) -> float:
        """One optimiser step; the loss that it was made on."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, step)
        loss = self.objective(low, high, step)
        if not math.isfinite(value := loss.item()):
            raise QuantlibError(
                f"The loss of {self.recipe.name} was not finite at step {step + 1}, so the "
                "training stopped; choose more bits or another rival."
            )
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return value

    @uncompiled()
    @torch.no_grad()
    def enlarge(self, low: np.ndarray) -> np.ndarray:
        """`uint8 (h, w, 3)` to `uint8 (2·h, 2·w, 3)`."""
        self.network.eval()
        result = to_uint8(self.network(to_tensor(low)))
        self.network.train()
        return result


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """The photograph that nobody is trained on: input and truth, `uint8`.

    >>> low, truth = held_out()
    >>> low.shape, truth.shape
    ((96, 96, 3), (192, 192, 3))
    """
    truth = load_sample(HELD_OUT, HELD_OUT_SIDE).rgb
    return _reduced(truth), truth


def compete(contest: Contest) -> Iterator[Moment]:
    """Trains the start, then both contestants in turn; yields after every step.

    Whoever iterates decides on the pace, and stops by not going on. Everything is a function of
    `contest` (and of the number of threads that PyTorch adds up with).
    """
    low_held_out, _ = held_out()
    source = SamplePatches(contest.recipe(FP32).patch)

    def batch(recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
        low, high = source.batch(recipe.batch, recipe.seed, step)
        return low.to(memory_format=torch.channels_last), high

    recipe = contest.recipe(FP32)
    start = Contestant(_first_blocks(), recipe, batch(recipe, 0)[0])
    for step in range(recipe.steps):
        loss = start.advance(step, *batch(recipe, step))
        done = step + 1
        picture = start.enlarge(low_held_out) if done == recipe.steps else None
        yield Moment(FP32, done, loss, picture)
    contestants = {}
    for method in contest.methods:
        recipe = contest.recipe(method)
        network = quantized(start.network, scheme_of(recipe))
        contestant = Contestant(network, recipe, batch(recipe, contest.start_steps)[0])
        contestants[method] = contestant
        yield Moment(method, 0, None, contestant.enlarge(low_held_out))
    for step in range(contest.steps):
        low, high = batch(recipe, contest.start_steps + step)
        for method, contestant in contestants.items():
            loss = contestant.advance(step, low, high)
            done = step + 1
            wanted = done % contest.picture_every == 0 or done == contest.steps
            picture = contestant.enlarge(low_held_out) if wanted else None
            yield Moment(method, done, loss, picture)


def quantized(network: EDSR, scheme: Scheme) -> EDSR:
    """A copy of `network` with `scheme` on every convolution but the first and the last."""
    twin = copy.deepcopy(network)
    names = [name for name, layer in twin.named_modules() if isinstance(layer, nn.Conv2d)]
    quantize_layers(twin, dict.fromkeys(names[1:-1], scheme))
    return twin


def _first_blocks() -> EDSR:
    """The ends and the first blocks of the bundled network."""
    whole = load(START).network
    assert isinstance(whole, EDSR)
    last, network = len(whole.residual_blocks), EDSR(SCALE, FEATURES, BLOCKS)
    weights = {}
    for name, tensor in whole.state_dict().items():
        place = re.match(r"body\.(\d+)\.", name)
        if place and int(place[1]) == last:
            name = name.replace(f"body.{last}.", f"body.{BLOCKS}.")
        elif place and int(place[1]) >= BLOCKS:
            continue
        weights[name] = tensor
    network.load_state_dict(weights)
    return network


def _reduced(high: np.ndarray) -> np.ndarray:
    return to_uint8(downscale(to_tensor(high), SCALE))
