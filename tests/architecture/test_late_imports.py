"""What takes seconds to import is imported when it is needed, not before."""

import subprocess
import sys

import pytest

SLOW = ("torch._dynamo", "torchvision", "scipy", "sklearn", "spandrel", "transformers")


def imported(module: str, names: tuple[str, ...]) -> list[str]:
    code = f"import sys, {module}; print(*[name for name in {names!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("module", ["quantlib.qat.scheme", "quantlib.evaluation.ledger"])
def test_a_room_is_entered_without_what_few_in_it_need(module):
    assert imported(module, SLOW) == []


def test_networks_are_listed_without_torch():
    assert imported("quantlib.cli.models", ("torch", *SLOW)) == []
