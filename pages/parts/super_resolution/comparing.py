"""Columns, measured beside the page: each result is there as soon as it is done."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace

import streamlit as st

from pages.parts.shared.background import Background, Progress, this_visit
from pages.parts.shared.worker import side_by_side
from pages.parts.super_resolution.column import Column, titles_of
from pages.parts.super_resolution.measuring import known_search, measured
from pages.parts.super_resolution.network_forms import weights_for
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.result import Result
from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from quantlib.stopping import go_on
from quantlib.tasks.same_bytes import at_same_bytes
from quantlib.tasks.super_resolution import Measurement

KEY = "comparing"
PATIENCE = 0.6  # seconds in which results that are known come without a progress bar
LOOK = 0.2  # seconds between two looks at Stop


class Comparing(Background):
    """One picture through all columns, side by side; what is done when it is stopped stays.

    What is known already waits for nobody, so it takes no turns; piece by piece the workers do.
    """

    takes_turns = False

    def __init__(
        self,
        subject: Subject,
        networks: Mapping[str, LoadedNetwork],
        columns: Sequence[Column],
        rest: float = 0.0,
    ) -> None:
        super().__init__(rest)
        self.subject, self.networks, self.columns = subject, networks, list(columns)
        self.failed: dict[Column, QuantlibError] = {}
        self._found: dict[Column, tuple[Settings, Measurement]] = {}
        self._started = time.perf_counter()

    @property
    def key(self) -> tuple:
        """What tells it from others."""
        weights = [weights_for(self.networks[c.network], c.settings) for c in self.columns]
        return self.subject.digest, tuple(self.columns), tuple(weights)

    @property
    def done(self) -> int:
        return len(self._found) + len(self.failed)

    @property
    def complete(self) -> bool:
        return self.done == len(self.columns)

    @property
    def progress(self) -> Progress:
        done, total = self.done, len(self.columns)
        left = (time.perf_counter() - self._started) / done * (total - done) if done else 0.0
        note = f", about {left:.0f} s left" if done else ""
        return Progress(done / total, f"Measuring: {done} of {total}{note}")

    @property
    def results(self) -> list[Result]:
        """What is done so far, in the order of the columns."""
        found = dict(self._found)
        fitted = [
            replace(one, settings=found[one][0], like=None) if one in found else one
            for one in self.columns
        ]
        titles = dict(zip(self.columns, titles_of(fitted), strict=True))
        return [
            Result(titles[one], self.networks[one.network], *found[one])
            for one in self.columns
            if one in found
        ]

    def work(self) -> None:
        with side_by_side(self._measure, self.columns) as futures:
            waiting = {future: column for column, future in futures.items()}
            while waiting and not self.stopping:
                ended, _ = wait(waiting, LOOK, FIRST_COMPLETED)
                for future in ended:
                    self._note(waiting.pop(future), future)

    def _note(self, column: Column, future: Future[tuple[Settings, Measurement]]) -> None:
        try:
            self._found[column] = future.result()
        except QuantlibError as error:
            self.failed[column] = error

    def _measure(self, column: Column) -> tuple[Settings, Measurement]:
        settings = column.settings
        if column.like is not None:
            target = self._through(column, column.like).ledger.bits_per_activation
            settings = at_same_bytes(
                settings,
                target,
                lambda tried: self._through(column, tried).ledger.bits_per_activation,
            )
        return settings, self._through(column, settings)

    def _through(self, column: Column, settings: Settings) -> Measurement:
        go_on()
        network = self.networks[column.network]
        searched = settings.needs_ranking and settings.criterion == SEARCHED
        if searched and known_search(network, settings) is None:
            raise QuantlibError(
                f"{settings.summary} has no greedy search yet; choose Greedy in the sidebar, with "
                "these bits, to make it."
            )
        return measured(self.subject, network, settings)


def comparing(
    subject: Subject, networks: Mapping[str, LoadedNetwork], columns: Sequence[Column]
) -> Comparing:
    """The visitor's work on exactly these columns, begun where it is not; what went before ends."""
    new = Comparing(subject, networks, columns)
    if known := begun(new, KEY):
        return known
    begin(new, KEY).wait(PATIENCE)
    return new


def begun(like: Comparing, place: str) -> Comparing | None:
    """The visitor's work under the name `place` where it is the same as `like`."""
    current: Comparing | None = st.session_state.get(place)
    return current if current is not None and current.key == like.key else None


def begin(new: Comparing, place: str) -> Comparing:
    """Begins `new` as the visitor's work under the name `place`; what went before ends."""
    before: Comparing | None = st.session_state.get(place)
    if before is not None:
        before.stop()
    st.session_state[place] = new.begin(this_visit())
    return new


def begin_again() -> None:
    """Goes on after a stop: what is known comes at once."""
    st.session_state.pop(KEY, None)
