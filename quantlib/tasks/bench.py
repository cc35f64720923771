"""What every task does for others: load a network, find its sites, and measure it on a bench."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger
from quantlib.importance.example import Example
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sources import Origin
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.sweeps.contents import Content, Files, Weights
from quantlib.tasks.task import TASKS


@dataclass(frozen=True, kw_only=True)
class Code:
    """What is done at every task: `load` a network by its name, find its `sites_of`, `bench` it.

    `open`, where there is one, loads a network as settings need it. `decode` makes a network of the
    bytes of a file with a name, or of a checkpoint with its origin. `bench` takes an entry of a
    plan, the name of its network and the folder of the data.
    """

    load: Callable[[str], Any]
    decode: Callable[[bytes | Checkpoint, str | Origin], Any]
    sites_of: Callable[[Any], SiteNetwork]
    bench: "Callable[[BenchPlan, str, Path], Bench]"
    open: Callable[[str, Settings], Any] | None = None

    def opened(self, name: str, settings: Settings) -> Any:
        """The network `name` as `settings` need it."""
        return self.load(name) if self.open is None else self.open(name, settings)


@dataclass(frozen=True, eq=False)
class Bench:
    """A network at its task, as the ablation measures it.

    Channels are ranked and steps allocated on `examples`. `score` gives the quality, one figure or
    one per picture, and the bytes of all activations.
    """

    sites: SiteNetwork
    examples: Sequence[Example]
    score: Callable[[QuantizedNetwork], tuple[list[float], Ledger]]


@dataclass(frozen=True)
class BenchPlan:
    """One entry of a plan: a network, its task and the pictures it is measured on.

    `model` and `data` are names of networks and folders, relative ones in the data folder; `data`
    is "digits" for scikit-learn's. `low` is the folder of reduced pictures (super-resolution only).
    `pictures` are evaluated, all if 0, and `calibration` others ranked on.
    """

    name: str
    task: str
    model: str
    data: str
    low: str = ""
    pictures: int = 0
    calibration: int = 64

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise QuantlibError(
                f"{self.name} has the task {self.task!r}; known are {', '.join(TASKS)}."
            )

    def open(self, folder: Path) -> Bench:
        """Load the network and the pictures."""
        return TASKS[self.task].code.bench(self, self._network(folder), folder)

    def contents(self, folder: Path) -> tuple[Content, ...]:
        """What is read when the bench is opened; a QuantlibError for a network that is not there.

        >>> plan = BenchPlan("digits", "classification", "builtin:resnet-digits", "digits")
        >>> [type(one).__name__ for one in plan.contents(Path("no such folder"))]
        ['Weights']
        """
        pictures = [folder / name for name in (self.data, self.low) if name]
        found = [Files.at(path) for path in pictures if path.exists()]
        return (Weights.of(self._network(folder)), *found)

    def _network(self, folder: Path) -> str:
        return self.model if ":" in self.model else str(folder / self.model)
