"""A process for which all but a few folders is read-only, and which has no home folder.

Modes of files do not bind root, so the interpreter itself refuses, in the words of a file system
that is mounted read-only.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bare_environment import bare_environment

ROOT = Path(__file__).parents[2]
NO_HOME = Path("/nonexistent")  # what Debian gives a user without a home

REFUSE = """
import errno, os, sys

WRITABLE = tuple(filter(None, os.environ["WRITABLE"].split(os.pathsep)))
CHANGES = {
    "os.mkdir": 1, "os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2,
    "os.truncate": 1, "os.utime": 1, "os.chmod": 1,
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def refuse(event, arguments):
    if event == "open":
        paths = arguments[:1] if arguments[2] & WRITING else ()
    else:
        paths = arguments[:CHANGES.get(event, 0)]
    for path in paths:
        if isinstance(path, int):
            continue
        real = os.path.realpath(os.fsdecode(path))
        if not real.startswith(("/dev/", "/proc/")) and not any(
            real == folder or real.startswith(folder + os.sep) for folder in WRITABLE
        ):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

sys.addaudithook(refuse)
"""


def environment(place: Path, writable: Sequence[Path], source: Path = ROOT) -> dict[str, str]:
    """What such a process is started with: only `writable` can be written.

    `place` gets the file that Python starts with. `source` is where Bitlens lies.
    """
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(REFUSE)
    return bare_environment(
        HOME=str(NO_HOME),
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        PYTHONPATH=os.pathsep.join([str(place), str(source)]),
        WRITABLE=os.pathsep.join(str(folder.resolve()) for folder in writable),
        HF_HUB_OFFLINE="1",
    )
