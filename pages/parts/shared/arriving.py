"""What comes from the Hugging Face Hub: brought once for all who wait, beside everybody's page.

A visitor who waits sees how far it is and can stop; what is brought goes on while somebody else
waits for it, and ends at once where nobody does.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.background import EVERY, Background, Progress, Visit, this_visit
from pages.parts.shared.reading import turn
from pages.parts.shared.ways import Way, WaysOnError
from quantlib.errors import QuantlibError
from quantlib.stopping import go_on

PATIENCE = 0.6  # seconds in which what is there already comes without a progress bar
MOST_AT_ONCE = 3
KEPT = 6  # what has arrived, for whoever asks next
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)
_beginning = threading.Lock()
_PLACE = "what the visitor waits for"

Tell = Callable[[float, str], None]
"""Tells the share that is done, and what is being done; it raises where nobody waits any more."""


class Arriving(Background):
    """`bring` at work for all who follow; what it gives is `result`."""

    takes_turns = False  # among long jobs: downloads wait for each other

    def __init__(self, what: str, bring: Callable[[Tell], Any]) -> None:
        super().__init__()
        self.what, self.result = what, None
        self._bring = bring
        self._progress = self._told(0.0, "waiting for other downloads")

    @property
    def progress(self) -> Progress:
        return self._progress

    @property
    def failed(self) -> bool:
        """Whether there is no result, and none will come."""
        return self.result is None and (self.stopping or not self.running)

    def work(self) -> None:
        with turn(go_on, _turns):
            self.result = self._bring(self._tell)

    def _tell(self, share: float, text: str) -> None:
        go_on()
        self._progress = self._told(share, text)

    def _told(self, share: float, text: str) -> Progress:
        return Progress(min(share, 1.0), f"{self.what} from the Hugging Face Hub: {text}")

    def stop_for(self, visit: Visit) -> None:
        """The visitor has had enough; others may not."""
        self._followers.discard(visit)
        self._stop_if_left()


class _Waiting(NamedTuple):
    """What one visitor waits for, has stopped or has seen fail."""

    run: Arriving
    is_stopped: bool = False


@st.cache_resource(show_spinner=False)
def _runs() -> dict[Hashable, Arriving]:
    return {}


def _own() -> dict[Hashable, _Waiting]:
    return st.session_state.setdefault(_PLACE, {})


def arrived(key: Hashable, what: str, bring: Callable[[Tell], Any], *ways: Way) -> Any:
    """What `bring` gives, whoever asked for it first under this `key`.

    While it is under way the page shows progress and a button that stops, and its script ends here.
    Raises what went wrong, with `ways` on beside trying again, until the visitor chooses one.
    """
    nothing_awaited(but=key)
    own = _own().get(key)
    if own is not None and own.is_stopped:
        raise _stopped(key, own.run, ways)
    run = _begun(key, what, bring, own)
    _own()[key] = _Waiting(run)
    run.wait(PATIENCE)
    if run.result is None and run.running:
        st.fragment(_show, run_every=EVERY)(key, run)
        st.stop()
    if run.result is not None:
        del _own()[key]
        return run.result
    if isinstance(run.error, QuantlibError):
        raise WaysOnError(str(run.error), (_again("Try again", key), *ways)) from run.error
    if run.error is not None:
        raise run.error
    raise _stopped(key, run, ways)


def nothing_awaited(but: Hashable = None) -> None:
    """The visitor has chosen something else; what was waited for may end."""
    for key, own in _own().items():
        if key != but and own.run.running:
            own.run.leave(this_visit())


def _begun(
    key: Hashable, what: str, bring: Callable[[Tell], Any], own: _Waiting | None
) -> Arriving:
    """What is under way or has arrived; begun anew where it failed for somebody else."""
    with _beginning:
        known = _runs()
        run = known.pop(key, None)
        if run is None or (run.failed and (own is None or own.run is not run)):
            run = Arriving(what, bring).begin(this_visit())
        known[key] = run
        ended = [one for one, other in known.items() if not other.running]
        for old in ended[: max(0, len(known) - KEPT)]:
            del known[old]
        run.follow(this_visit())
        return run


def _stopped(key: Hashable, run: Arriving, ways: tuple[Way, ...]) -> WaysOnError:
    return WaysOnError(
        f"The download of {run.what} was stopped; go on with what is bundled, or begin again.",
        (*ways, _again("Begin again", key)),
    )


def _again(label: str, key: Hashable) -> Way:
    def forget() -> None:
        own = _own().pop(key, None)
        with _beginning:
            if own is not None and own.run.failed and _runs().get(key) is own.run:
                del _runs()[key]

    return Way(label, ":material/refresh:", forget)


def _show(key: Hashable, run: Arriving) -> None:
    """The bar and the button; the whole page is drawn anew once there is something else to see."""
    own = _own().get(key)
    if not run.running or own is None or own.is_stopped:
        st.rerun()

    def stop() -> None:
        _own()[key] = _Waiting(run, is_stopped=True)
        run.stop_for(this_visit())

    run.follow(this_visit())
    st.progress(run.progress.share, text=as_text(run.progress.text))
    st.button("Stop", icon=":material/stop_circle:", on_click=stop, key="stop what arrives")
