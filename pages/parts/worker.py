"""The one thread that tensor work is done on.

Streamlit runs every script on a thread of its own. PyTorch would give each of them a team of
threads, more than there are cores, and passes would take twice as long; on one lasting thread they
share a team, keep their memory warm, and visitors take turns.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tensors")


def on_worker(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, or the error it raised."""
    return _thread.submit(work, *args, **kwargs).result()
