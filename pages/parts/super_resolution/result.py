"""One result: what a pane, a row of the table and a file show."""

from dataclasses import dataclass

from pages.parts.figures.viewer import Pane
from pages.parts.super_resolution.column import Column
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.panes import pane_of
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import Measurement


@dataclass(frozen=True, eq=False)
class Result:
    """A picture through `network` under `settings`; `title` tells it from those beside it."""

    title: str
    network: LoadedNetwork
    settings: Settings
    made: Measurement

    @property
    def pane(self) -> Pane:
        return pane_of(self.title, self.made, timed=True)

    @property
    def column(self) -> Column:
        """The column that gives this result again, without a search."""
        return Column(self.network.name, self.settings)
