"""Imports inside quantlib point downward only, and never at a screen library."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.arrows import PAGE, arrows, direct, drawn, reachable
from tests.architecture.imports import ROOT, imports_of

LIBRARY = ROOT / "quantlib"

# From the bottom up. A module may import its own package and every row below it.
LAYERS = [
    {"caches", "telemetry"},
    {""},  # the package itself
    {"errors", "processor", "shipped", "stopping"},
    {"apart", "files", "requirement"},
    {"coding", "imaging", "kept"},
    {"quantizers", "datasets"},
    {"qat"},
    {"models"},
    {"ptq", "sweeps"},
    {"importance"},
    {"evaluation", "runtime"},
    {"training"},
    {"tasks"},
    {"ablation"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules["streamlit"] = sys.modules["plotly"] = None
import quantlib
for module in pkgutil.walk_packages(quantlib.__path__, "quantlib."):
    if module.name != "quantlib.__main__":
        importlib.import_module(module.name)
"""


def modules() -> Iterator[tuple[str, Path]]:
    """The top name under quantlib ("" for the package itself) and the path of every module."""
    for path in sorted(LIBRARY.rglob("*.py")):
        top = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        yield ("" if top == "__init__" else top), path


def imported_tops(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top name under quantlib of every import of quantlib in a file."""
    for line, name in imports_of(path):
        first, _, rest = name.partition(".")
        if first == "quantlib":
            yield line, rest.partition(".")[0]


def test_every_module_has_its_layer():
    unknown = {top for top, _ in modules()} - LEVEL.keys()
    assert not unknown, f"not in the table of layers: {sorted(unknown)}"


def test_imports_point_downward():
    upward = set()
    for top, path in modules():
        for line, target in imported_tops(path):
            below = LEVEL.get(target, -1) < LEVEL.get(top, -1)
            if target not in ("", "__version__", top) and not below:
                upward.add(f"{path.relative_to(ROOT)}:{line} imports quantlib.{target}")
    assert not upward, "\n".join(sorted(upward))


def test_the_library_needs_no_screen():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_rooms_lead_nowhere_back_to_themselves():
    graph = arrows()
    assert not [room for room in graph if room in reachable(graph, room)]
    left = {room: {target for a, target in direct(graph) if a == room} for room in graph}
    assert all(reachable(left, room) == reachable(graph, room) for room in graph)


def test_the_picture_of_the_rooms_is_drawn_from_the_code():
    text = PAGE.read_text("utf-8")
    assert text == drawn(text), "draw it anew with `make docs`"
