"""What a process is started with that shares nothing with the person who runs the tests."""

import os

KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS")


def bare_environment(**own: str) -> dict[str, str]:
    """Where programs and libraries are, in which language, on how many threads; and `own`."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | own
