"""Where Bitlens and the libraries below keep what they would otherwise make or load again."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

VARIABLE = "BITLENS_CACHE"
FOLDERS = {
    "HF_HOME": "huggingface",  # downloads from the Hub
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",  # machine code of the kernels
    "TORCH_HOME": "torch",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
}


def point_caches(environment: MutableMapping[str, str] = os.environ) -> None:
    """Puts every library's cache into a folder of its own below `BITLENS_CACHE`, where that is set.

    A variable that names a library's own cache stays as it is. The libraries read theirs when they
    are imported, so this comes first.

    >>> environment = {"BITLENS_CACHE": "/cache", "HF_HOME": "/models"}
    >>> point_caches(environment)
    >>> environment["HF_HOME"], environment["NUMBA_CACHE_DIR"]
    ('/models', '/cache/numba')
    """
    if folder := environment.get(VARIABLE):
        for variable, name in FOLDERS.items():
            environment.setdefault(variable, str(Path(folder).expanduser().absolute() / name))


def own_folder(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where Bitlens keeps its own `name`: below `BITLENS_CACHE`, or in the user's cache folder.

    >>> own_folder("results", {"BITLENS_CACHE": "/cache"}).as_posix()
    '/cache/results'
    >>> own_folder("results", {"XDG_CACHE_HOME": "/home/ada/.cache"}).as_posix()
    '/home/ada/.cache/bitlens/results'
    """
    users = Path(environment.get("XDG_CACHE_HOME") or "~/.cache") / "bitlens"
    return Path(os.path.expanduser(environment.get(VARIABLE) or users)).absolute() / name
