"""What the code of the pages calls, and the query parameters that follow from it."""

import ast
from pathlib import Path

from quantlib.ptq.parameters import PARAMETERS
from quantlib.runtime import choice

PAGES = Path(__file__).parents[2] / "pages"
CALLS = [
    node
    for path in PAGES.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.Call)
]


def calls(name: str) -> list[ast.Call]:
    """All calls of what goes by `name` in the code of the pages."""
    return [call for call in CALLS if ast.unparse(call.func).split(".")[-1] == name]


def given(call: ast.Call, name: str) -> str | None:
    """The code of an argument that is given by its name."""
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), None)


BOUND = [str(given(call, "key")) for call in CALLS if given(call, "bind")]
BY_CODE = {"key", "depth.key", "how.key", "network_key(task)"}  # keys that code gives
KEYS = {one.strip("'") for one in BOUND} - BY_CODE
KEYS |= {"at", "columns", "region", "picture", "scene"}
KEYS |= {one.key for one in (*PARAMETERS.values(), *choice.CHOICES.values())}
