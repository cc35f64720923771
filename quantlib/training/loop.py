"""The training loop: cosine schedule, moving average, exact resumption."""

import io
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.files import write_whole
from quantlib.training.super_resolution.compiled import keep_freed_memory
from quantlib.training.super_resolution.objective import Objective, start_quantizers
from quantlib.training.together import together


class Schedule(Protocol):
    """What the loop asks of a recipe, a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def warmup(self) -> int: ...
    @property
    def ema(self) -> float: ...
    @property
    def seed(self) -> int: ...
    @property
    def bfloat16(self) -> bool: ...


class Batches(Protocol):
    """Where inputs and what is wanted for them come from, as a function of seed and step alone."""

    def batch(self, size: int, seed: int, step: int) -> tuple[Tensor, Tensor]: ...


def adam(learned: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(learned, rate, fused=True)


@dataclass(frozen=True)
class Progress:
    """What a watcher of a training run wants to know; `quality` is what the judge said."""

    step: int
    steps: int
    loss: float
    steps_per_second: float
    quality: float | None = None

    @property
    def seconds_left(self) -> float:
        return (self.steps - self.step) / self.steps_per_second


def learning_rate(recipe: Schedule, step: int) -> float:
    """Linear warm-up, then half a cosine down to zero.

    >>> from quantlib.training.super_resolution.recipe import Recipe
    >>> recipe = Recipe("r", scale=2, steps=100, warmup=10, learning_rate=1.0)
    >>> learning_rate(recipe, 4), learning_rate(recipe, 55), round(learning_rate(recipe, 99), 4)
    (0.5, 0.5, 0.0003)
    """
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    phase = (step - recipe.warmup) / (recipe.steps - recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * phase)) / 2


def _serialised(state: dict) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _state_in(file: Path) -> dict | None:
    return _read_checkpoint(file) if file.exists() else None


def _read_checkpoint(file: Path) -> dict:
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged pickles fail in every way that pickle can
        state, cause = None, error
    else:
        cause = None
    if not isinstance(state, dict) or "recipe" not in state:
        raise QuantlibError(
            f"{file} is damaged or no checkpoint of a training run; leave out --resume or choose "
            "another --out."
        ) from cause
    return state


def train(
    network: nn.Module,
    source: Batches,
    recipe: Schedule,
    checkpoint: Path,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    judge: Callable[[nn.Module], float] | None = None,
    teacher: nn.Module | None = None,
    watch_every: int = 100,
    save_every: int = 1000,
    objective: Callable[..., Callable[[Tensor, Tensor, int], Tensor]] = Objective,
    optimiser_of: Callable[[list[nn.Parameter], float], torch.optim.Optimizer] = adam,
) -> tuple[dict[str, Tensor], float]:
    """Train `network` in place by `recipe`; the moving average of its weights, and the seconds.

    `checkpoint` is written every `save_every` steps; with `resume` the run goes on from it and ends
    with the weights that an uninterrupted run would have ended with. `judge` gives the quality that
    `watch` is told; `teacher` is what the recipe distils from. `objective(network, recipe,
    teacher)` gives the loss of a batch at a step, `optimiser_of` what makes it small. A loss that
    is not finite stops the run with a `QuantlibError`; the last checkpoint stays.

    Processes that are together (`quantlib.training.together`) share every batch. The first of them
    writes and is watched; a run goes on with any number of them.
    """
    keep_freed_memory()
    torch.compiler.reset()  # what earlier runs compiled
    processes = together()
    processes.check(recipe.name, recipe.batch, network)
    device = processes.device
    network.to(device)
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    start_quantizers(network, source.batch(recipe.batch, recipe.seed, 0)[0].to(device))
    loss_of = objective(network, recipe, teacher and teacher.to(device))
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = optimiser_of(learned, recipe.learning_rate)
    average = {k: v.detach().clone() for k, v in network.state_dict().items()}
    first, spent = 0, 0.0
    if resume and (state := processes.from_first(lambda: _state_in(checkpoint))):
        if state["recipe"] != asdict(recipe):
            raise QuantlibError(
                f"{checkpoint} belongs to other settings of recipe {recipe.name}; "
                "leave out --resume or choose another --out."
            )
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average = {name: value.to(device) for name, value in state["average"].items()}
        first, spent = state["step"], state["seconds"]
    share_of_loss = processes.step_of(network, loss_of)
    started = watched_at = time.perf_counter()
    watched_step = first
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        low, high = map(processes.share, source.batch(recipe.batch, recipe.seed, step))
        low = low.to(device, memory_format=torch.channels_last)
        with processes.noticing(), bfloat16(device) if recipe.bfloat16 else nullcontext():
            share = share_of_loss(low, high.to(device), step)
        loss = processes.mean(share)
        if not math.isfinite(loss):
            raise QuantlibError(
                f"The loss of {recipe.name} was not finite at step {step + 1}: training stopped, "
                "the last checkpoint is kept. Lower learning_rate and start anew."
            )
        optimiser.zero_grad()
        with processes.noticing():
            share.backward()
        optimiser.step()
        _update(average, network, recipe.ema, step)
        done = step + 1
        if not processes.is_first:
            continue
        if done % save_every == 0 or done == recipe.steps:
            state = {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average,
                "step": done,
                "seconds": spent + time.perf_counter() - started,
                "recipe": asdict(recipe),
            }
            write_whole(checkpoint, _serialised(state))
        if done % watch_every == 0 or done == recipe.steps:
            now = time.perf_counter()
            speed = (done - watched_step) / (now - watched_at)
            watched_at, watched_step = now, done
            quality = judge and judge(network)
            watch(Progress(done, recipe.steps, loss, speed, quality))
    return average, spent + time.perf_counter() - started


def bfloat16(device: torch.device):
    """Autocast where the processor multiplies bfloat16 natively."""
    if device.type == "cuda" or torch.backends.mkldnn.is_available():
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@torch.no_grad()
def _update(average: dict[str, Tensor], network: nn.Module, decay: float, step: int) -> None:
    decay = min(decay, (step + 1) / (step + 10))
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
