"""Long jobs, a few at a time: whose turn it is, and how long the others wait."""

import itertools
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from pages.parts.shared.caching import keep
from pages.parts.shared.worker import CORES
from quantlib.errors import QuantlibError

MOST_WAITING, MOST_OF_ONE = 64, 8
MINUTES = "BITLENS_JOB_MINUTES"
REMEMBERED = 8  # jobs of a kind, for how long the next will take
REMEMBERED_VISITORS = 256


def limit_seconds() -> float:
    """How long one job may take."""
    try:
        return 60 * max(0.1, float(os.environ.get(MINUTES, "30")))
    except ValueError:
        return 60 * 30.0


def overdue() -> QuantlibError:
    """What is said of a job that went beyond it."""
    return QuantlibError(
        f"This took longer than the {limit_seconds() / 60:g} minutes that one job may take here; "
        "choose a smaller picture or network, or the command line."
    )


@dataclass(eq=False)
class Turn:
    """A visitor's job: in line, under way since `begun`, or ended."""

    of: "Turns"
    visitor: Hashable
    kind: str
    number: int
    begun: float | None = None
    ended: bool = False

    def wait(self, seconds: float) -> bool:
        """Whether it has come within so many seconds; then the job is under way."""
        return self.of.wait_for(self, seconds)

    def end(self) -> None:
        """Lets the next one go on; also for who leaves the line."""
        self.of.end(self)

    @property
    def is_overdue(self) -> bool:
        return self.begun is not None and self.of.clock() - self.begun > limit_seconds()

    @property
    def words(self) -> str:
        """The place in line, and about how long that takes."""
        before, seconds = self.of.before(self), self.of.expected(self)
        place = "Next in line" if not before else f"Place {before + 1} in line"
        return place if seconds is None else f"{place}, about {max(1.0, seconds):.0f} s"


@dataclass(eq=False)
class Turns:
    """At most `width` jobs at a time; who has fewest of them under way comes first.

    Then whose last turn was longest ago, then who came first.

    >>> turns = Turns(width=1)
    >>> first, second, third = (turns.ask(who, "greedy search") for who in ("a", "a", "b"))
    >>> first.wait(0), second.wait(0), third.wait(0), turns.before(second), turns.before(third)
    (True, False, False, 1, 0)
    >>> first.end()
    >>> third.wait(0)
    True
    """

    width: int = CORES
    clock: Callable[[], float] = time.monotonic
    _jobs: list[Turn] = field(default_factory=list)
    _took: dict[str, deque[float]] = field(default_factory=dict)
    _served: dict[Hashable, int] = field(default_factory=dict)  # when a visitor's last job began
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, visitor: Hashable, kind: str) -> Turn:
        """A place in line; a QuantlibError where too many wait."""
        with self._changed:
            waiting = self._in_line()
            if sum(job.visitor == visitor for job in waiting) >= MOST_OF_ONE:
                raise QuantlibError(
                    f"{MOST_OF_ONE} jobs of yours are waiting already; stop one, or come back when "
                    "they are done."
                )
            if len(waiting) >= MOST_WAITING:
                raise QuantlibError(
                    f"{MOST_WAITING} jobs are waiting already; come back in some minutes."
                )
            turn = Turn(self, visitor, kind, next(self._numbers))
            self._jobs.append(turn)
            return turn

    def wait_for(self, turn: Turn, seconds: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._admits(turn) or turn.ended, seconds)
            if turn.begun is None and self._admits(turn):
                turn.begun = self.clock()
                keep(self._served, turn.visitor, next(self._numbers), REMEMBERED_VISITORS)
                self._changed.notify_all()
            return turn.begun is not None

    def end(self, turn: Turn) -> None:
        with self._changed:
            if turn.ended:
                return
            turn.ended = True
            self._jobs.remove(turn)
            if turn.begun is not None:
                took = self._took.setdefault(turn.kind, deque(maxlen=REMEMBERED))
                took.append(self.clock() - turn.begun)
            self._changed.notify_all()

    def before(self, turn: Turn) -> int:
        """How many of those in line come before it."""
        with self._changed:
            line = self._in_line()
            return line.index(turn) if turn in line else 0

    def expected(self, turn: Turn) -> float | None:
        """Seconds until it is its turn, by how long such jobs took; None where none has ended."""
        with self._changed:
            ahead = self._in_line()[: self.before(turn)]
            under_way = [job for job in self._jobs if job.begun is not None]
            if not all(job.kind in self._took for job in (*ahead, *under_way)):
                return None
            left = [max(self._usual(job) - self._taken(job), 1.0) for job in under_way]
            return (sum(left) + sum(map(self._usual, ahead))) / self.width

    def _usual(self, job: Turn) -> float:
        took = self._took[job.kind]
        return sum(took) / len(took)

    def _taken(self, job: Turn) -> float:
        assert job.begun is not None
        return self.clock() - job.begun

    def _in_line(self) -> list[Turn]:
        """Those that wait, in the order in which they will have their turn."""
        level = Counter(job.visitor for job in self._jobs if job.begun is not None)
        rank = {}
        for job in self._jobs:
            if job.begun is None:
                served = self._served.get(job.visitor, 0)
                rank[job] = level[job.visitor], served, job.number
                level[job.visitor] += 1
        return sorted(rank, key=lambda job: rank[job])

    def _admits(self, turn: Turn) -> bool:
        under_way = sum(job.begun is not None for job in self._jobs)
        return not turn.ended and under_way < self.width and self._in_line()[:1] == [turn]


TURNS = Turns()
