"""The compiled kernels where they are ready, and nothing until then.

numba takes seconds to load or to compile them, so that happens once and in the background: until
then, without numba, or with BITLENS_COMPILED=0 the coders run their plain forms, slower and with
the same bytes.
"""

import importlib
import logging
import os
import sys
import threading
from types import ModuleType

_loaded: ModuleType | None = None
_loader: threading.Thread | None = None
_lock = threading.Lock()


def kernels() -> ModuleType | None:
    """`quantlib.coding.kernels` once it is loaded; the first call begins to load it."""
    if _loader is None:
        _begin()
    return _loaded


def warm() -> bool:
    """Waits for the kernels; False where there are none."""
    _begin().join()
    return _loaded is not None


def _begin() -> threading.Thread:
    global _loader
    with _lock:
        if _loader is None:
            _loader = threading.Thread(target=_load, name="kernels")
            _loader.start()
        return _loader


def _load() -> None:
    global _loaded
    switched_off = os.environ.get("BITLENS_COMPILED") == "0"
    if switched_off or os.environ.get("NUMBA_DISABLE_JIT") == "1" or sys.byteorder == "big":
        return
    try:
        _loaded = importlib.import_module("quantlib.coding.kernels")
    except Exception as error:  # whatever numba meets on a machine, the plain forms go on
        logging.getLogger(__name__).warning("The coders run uncompiled: %s", error)
