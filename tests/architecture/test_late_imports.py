"""What takes seconds to import is imported when it is needed, not before."""

import subprocess
import sys

import pytest

SLOW = ("torch._dynamo", "torchvision", "scipy", "sklearn", "spandrel", "transformers")


def imported(module: str, names: tuple[str, ...]) -> list[str]:
    return imported_by(f"import {module}", names)


def imported_by(line: str, names: tuple[str, ...]) -> list[str]:
    code = f"{line}; import sys; print(*[name for name in {names!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("module", ["quantlib.qat.scheme", "quantlib.evaluation.ledger"])
def test_a_room_is_entered_without_what_few_in_it_need(module):
    assert imported(module, SLOW) == []


def test_networks_are_listed_without_torch():
    assert imported("quantlib.cli.models", ("torch", *SLOW)) == []


def test_a_bundled_network_is_loaded_without_a_compiler_and_readers_of_other_formats():
    line = "from quantlib.models import load; load('builtin:edsr-x2')"
    assert imported_by(line, (*SLOW, "sympy", "skimage.io", "tifffile", "imageio")) == []
