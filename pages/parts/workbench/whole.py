"""A visitor's whole picture, enlarged beside the page into a file on the server's disk."""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from pages.parts.shared.background import Background, Progress
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.pictures import Whole
from quantlib.ptq import QuantizedNetwork
from quantlib.stopping import go_on
from quantlib.tasks.whole_picture import as_input, write_whole


@dataclass(frozen=True, eq=False)
class Order:
    """What is asked for: a picture through a network, and the `name` of the file that it makes."""

    name: str
    whole: Whole
    network: Callable[[], QuantizedNetwork]
    scale: int


class WholeRun(Background):
    """Works through the tiles.

    `file` is the PNG once it is complete; it goes when nobody holds it any more.
    """

    outlives_reload = True

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order
        self.file: IO[bytes] | None = None
        self._reading = threading.Lock()
        self._begun = 0.0
        self._done, self._total = 0, 0

    @property
    def progress(self) -> Progress:
        if not self._done:
            return Progress(0.0, "Taking scales from the picture")
        left = (time.monotonic() - self._begun) / self._done * (self._total - self._done)
        text = f"Tile {self._done} of {self._total}, about {in_words(left)} left"
        return Progress(self._done / self._total, text)

    def content(self) -> bytes:
        assert self.file is not None
        with self._reading:
            self.file.seek(0)
            return self.file.read()

    def work(self) -> None:
        on_worker(self._enlarge)

    def _enlarge(self) -> None:
        whole, scale = self.order.whole, self.order.scale
        network = self.order.network()
        self._begun = time.monotonic()
        given = as_input(whole.picture, scale) if whole.reduced else whole.picture
        file = tempfile.TemporaryFile()  # noqa: SIM115  it outlives the work
        write_whole(network, given, scale, file, self._note)
        self.file = file

    def _note(self, done: int, total: int) -> None:
        go_on()
        self._done, self._total = done, total


def in_words(seconds: float) -> str:
    """A time as people say it.

    >>> in_words(44.6), in_words(600), in_words(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
