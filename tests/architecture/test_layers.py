"""Imports inside quantlib point downward only, and never at a screen library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "quantlib"

# From the bottom up. A module may import its own package and every row below it.
LAYERS = [
    {"errors"},
    {"coding", "imaging"},
    {"quantizers", "datasets"},
    {"qat"},
    {"models"},
    {"training", "ptq"},
    {"importance"},
    {"evaluation", "runtime"},
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
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join((*base, *filter(None, [node.module])))
            names = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "quantlib":
                yield node.lineno, rest.partition(".")[0]


def test_every_module_has_its_layer():
    unknown = {top for top, _ in modules()} - LEVEL.keys() - {""}
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
