"""What evaluating a classifier and a segmenter have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.published import PublishedAccuracy
from quantlib.importance import Ranking
from quantlib.importance.example import Example
from quantlib.importance.preparing import prepare
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.runtime.choice import IN_PYTORCH, Runtime
from quantlib.runtime.running import at_runtime
from quantlib.tasks.bench import Code
from quantlib.tasks.budget import Measured, within_budget


class Recognised(Protocol):
    """What a network made of pictures."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def seconds(self) -> float: ...

    @property
    def figures(self) -> dict[str, Any]:
        """The task's figure and others in percent as they stand in JSON; `per_class` by class."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recognition(Code):
    """The code of a task whose pictures come with what is right, `kind` pictures.

    `read` takes a folder or a data set's name, "train" or "test", and how many are wanted at most.
    `check` refuses pictures that are not for a network, `examples_of` makes calibration examples of
    them, `evaluate` runs a quantized network on them; `published` is what others report, if any do.
    """

    kind: str
    read: Callable[[str | Path, str, int | None], Any]
    check: Callable[[nn.Module, Any], None]
    examples_of: Callable[[Any], Sequence[Example]]
    evaluate: Callable[..., Any]
    published: Callable[[nn.Module, str, Settings], Sequence[PublishedAccuracy]] | None = None

    def measure(
        self,
        network: Any,
        settings: Settings,
        pictures: Any,
        calibration: Any = None,
        ranking: Ranking | None = None,
        runtime: Runtime = IN_PYTORCH,
        **how: Any,
    ) -> Any:
        """Quantize `network` as `settings` say and evaluate it at `runtime` on `pictures`.

        `calibration`, other pictures of the same classes, is what channels are ranked and scales
        frozen on; a `ranking` that is given is used as it is. Raises a `QuantlibError` where one is
        needed and neither is given.
        """
        runtime.check(settings)
        self.check(network, pictures)
        looks = needs_examples(settings, ranking, runtime)
        examples = self._examples(network, settings, calibration) if looks else []
        quantized = prepare(self.sites_of(network), settings, examples, ranking)
        running = at_runtime(quantized, runtime, [example.input for example in examples])
        return self.evaluate(running, pictures, **how)

    def _examples(self, network: Any, settings: Settings, calibration: Any) -> Sequence[Example]:
        if calibration is None:
            raise QuantlibError(
                f"{settings.summary} needs {self.kind} calibration pictures; give some that are "
                "not evaluated."
            )
        self.check(network, calibration)
        return self.examples_of(calibration)


def run(network: QuantizedNetwork, x: Tensor, count_bytes: bool = True) -> Measured:
    """The output for one batch and the bytes of its activations; no bytes if not `count_bytes`.

    Entropy-coded activations keep to their budget, which takes counting.
    """
    if network.settings.entry.budgeted:
        return within_budget(network, [x], lambda quantized: quantized.measure(x))
    return network.measure(x) if count_bytes else (network(x), {})


def needs_examples(
    settings: Settings, ranking: Ranking | None = None, runtime: Runtime = IN_PYTORCH
) -> bool:
    """Whether labelled pictures have to be looked at before the network can be run."""
    ranks = settings.needs_ranking and ranking is None and settings.criterion != "random"
    looks = settings.entry.budgeted or settings.needs_calibration or ranks
    return looks or runtime.calibrates(settings)
