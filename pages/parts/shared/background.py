"""Work that goes on beside the page, whatever its visitor looks at meanwhile."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import NamedTuple, Self
from weakref import WeakSet

import streamlit as st

from pages.parts.shared.errand import Errand, on_errand, visitor
from pages.parts.shared.turns import TURNS, Turn, overdue
from pages.parts.shared.worker import LOOK, use_one_core
from quantlib.errors import QuantlibError
from quantlib.stopping import StoppedError

EVERY = 1.0  # seconds between two looks at the progress
GRACE = 1.0  # seconds in which a visitor whose connection broke may be back
RELOAD = 10.0  # where the page may be loaded anew meanwhile, and finds the work again


class Progress(NamedTuple):
    """The share that is done, and what is being done, in words."""

    share: float
    text: str


class Background(ABC):
    """Work on a thread of its own; `error` is what went wrong.

    It begins after `rest` seconds, for what the visitor may change again at once, and where it
    `takes_turns`, when it is its turn among long jobs. It ends by itself, soon after `stop()`, soon
    after the last visitor who follows it has left, or at the limit for one job.
    """

    takes_turns = True
    outlives_reload = False

    def __init__(self, rest: float = 0.0) -> None:
        self.error: Exception | None = None
        self._rest = rest
        self._turn: Turn | None = None
        self._visitor: Hashable = None
        self._followers: set[Visit] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drive, name=type(self).__name__, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """The work, which looks at `stopping` often."""

    @property
    @abstractmethod
    def progress(self) -> Progress: ...

    def begin(self, visit: "Visit") -> Self:
        """Starts the work for a visitor, who follows it; `error` says where too many wait."""
        self._visitor = visitor()
        self.follow(visit)
        if self.takes_turns:
            try:
                self._turn = TURNS.ask(self._visitor, type(self).__name__)
            except QuantlibError as error:
                self.error = error
                return self
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set() or self.is_overdue

    @property
    def is_overdue(self) -> bool:
        return self._turn is not None and self._turn.is_overdue

    @property
    def shown(self) -> Progress:
        """The progress, or the place in line."""
        turn = self._turn
        if turn is None or turn.begun is not None or turn.ended:
            return self.progress
        return Progress(0.0, turn.words)

    def stop(self) -> None:
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most `seconds`."""
        self._thread.join(seconds)

    def follow(self, visit: "Visit") -> None:
        """A visitor waits for the result, so it goes on."""
        self._followers.add(visit)
        visit.runs.add(self)

    def leave(self, visit: "Visit") -> None:
        self._followers.discard(visit)
        if self.running and not self._followers:
            later = threading.Timer(RELOAD if self.outlives_reload else GRACE, self._stop_if_left)
            later.daemon = True
            later.start()

    def _stop_if_left(self) -> None:
        if not self._followers:
            self.stop()

    def _drive(self) -> None:
        use_one_core()
        try:
            with on_errand(Errand(self._visitor, True, lambda: self.stopping)):
                if not self._stop.wait(self._rest) and self._has_its_turn():
                    self.work()
        except StoppedError:
            if self.is_overdue:
                self.error = overdue()
        except Exception as error:  # shown by the page, where somebody sees it
            self.error = error
        finally:
            if self._turn is not None:
                self._turn.end()

    def _has_its_turn(self) -> bool:
        while self._turn is not None and not self._turn.wait(LOOK):
            if self._stop.is_set():
                return False
        return True


class Visit:
    """One visitor's stay, from the first page to a closed window."""

    def __init__(self) -> None:
        self.runs: WeakSet[Background] = WeakSet()

    def end(self) -> None:
        for run in list(self.runs):
            run.leave(self)


@st.cache_resource(scope="session", show_spinner=False, on_release=Visit.end)
def this_visit() -> Visit:
    """The visit that the page is drawn for; it ends when the connection does."""
    return Visit()


def show_progress(run: Background, key: str, stoppable: bool = True, help: str = "") -> None:
    """The bar and the button that stops, for a fragment that is drawn `EVERY` second.

    Once the work has ended the whole page is drawn anew, which has a result or an error to show.
    """
    if not run.running:
        st.rerun()
    run.follow(this_visit())
    share, text = run.shown
    st.progress(share, text=text)
    if stoppable:
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            on_click=run.stop,
            disabled=run.stopping,
            help=help or None,
            key=key,
        )
