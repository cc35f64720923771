"""Standard streams as they really are: closed, full, cut off, or unable to write a sign."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from quantlib.errors import QuantlibError

SPELLED = {"×": "x", "…": "...", "±": "+-", "–": "-", "−": "-", "·": "."}
OUTPUT_CLOSED = "Standard output is closed; send it somewhere, such as to a file."


def _spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """The next sign that an encoding lacks, written otherwise; bytes of a file's name as they are.

    >>> "2×2 …\\udcff".encode("ascii", "spell")
    b'2x2 ...\\xff'
    """
    assert isinstance(error, UnicodeEncodeError)
    sign = error.object[error.start]
    if 0xDC80 <= ord(sign) <= 0xDCFF:
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    return SPELLED.get(sign, "?"), error.start + 1


codecs.register_error("spell", _spell)


def prepare() -> None:
    """Nothing that is printed later fails on a sign, or goes to a stream that it is not meant for.

    Without standard error, `print` would write its lines to standard output.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spell")  # type: ignore[union-attr]


def require_output() -> None:
    """A QuantlibError where there is no standard output, before any work."""
    if sys.stdout is None:
        raise QuantlibError(OUTPUT_CLOSED)


def write_line(text: str) -> None:
    """A line, or several, to standard output."""
    with _told():
        print(text)


def send_bytes(data: bytes) -> None:
    """`data` to standard output; nothing else may go there."""
    with _told():
        sys.stdout.buffer.write(data)


def read_bytes() -> bytes:
    """All of standard input."""
    if sys.stdin is None:
        raise QuantlibError("Standard input is closed; give a picture's name, or send one.")
    return sys.stdin.buffer.read()


def finish() -> None:
    """What is left in the buffer goes out while a failure can still be told."""
    if sys.stdout is not None:
        with _told():
            sys.stdout.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise QuantlibError(f"Standard output cannot be written ({error.strerror}).") from error


def silence() -> None:
    """Nothing more goes out, so that what the buffers hold cannot fail when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def remark(line: str) -> None:
    """A line on standard error, if it takes one."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Without PyTorch's remarks on old checkpoints."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
