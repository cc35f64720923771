"""What `bench` says of requirements, and how it ends."""

import json

import pytest

from quantlib.cli import bench, main
from quantlib.requirement import Requirement

MEASURED = {
    "model": "builtin:edsr-x2",
    "input": [1, 3, 128, 128],
    "threads": 2,
    "passes_relative_to_fp32": {"fp32": 1.0},
    "stages_relative_to_layer": {},
    "coding_symbols_per_second": {},
    "training_step_relative_to_fp32": {"fp32_seconds": 1.0, "rlq": 2.0, "rlq composed": 3.0},
    "transformer_relative_to_fp32": {},
    "memory": [{"form": "FP32", "side": 256, "peak": 3 << 20, "moved": None}],
    "ceilings": [{"name": "EDSR ×2", "figure": 3.25}],
    "versions": {"torch": "2.15.0", "onnxruntime": "1.32.0"},
}


@pytest.fixture
def requirements(monkeypatch) -> list[Requirement]:
    """What all rooms are found to meet; times are left out."""
    found = [Requirement("W4A4, times faster", 4.25, 3.5)]
    monkeypatch.setattr(bench.coding, "requirements", lambda: found)
    monkeypatch.setattr(bench.runtime, "requirements", lambda: [Requirement("smaller", 5, 3)])
    monkeypatch.setattr(bench.memory, "requirements", lambda: [Requirement("bands", 6, 4)])
    measured = lambda options: {**MEASURED, "requirements": bench._requirements(options)}  # noqa: E731
    monkeypatch.setattr(bench, "run", measured)
    return found


def test_requirements_that_are_met(requirements, capsys):
    assert main(["bench", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requirements"] == [
        {"name": "W4A4, times faster", "figure": 4.25, "required": 3.5, "met": True},
        {"name": "smaller", "figure": 5, "required": 3, "met": True},
        {"name": "bands", "figure": 6, "required": 4, "met": True},
    ]
    assert main(["bench"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-6].split() == ["EDSR", "×2", "3.25", "×"]
    table = lines[-4:]
    assert table[0].startswith("Requirement, torch 2.15.0, onnxruntime 1.32.0 ")
    assert [line.split() for line in table[1:]] == [
        ["W4A4,", "times", "faster", "4.25", "3.50"],
        ["smaller", "5.00", "3.00"],
        ["bands", "6.00", "4.00"],
    ]


def test_a_requirement_that_is_missed(requirements, capsys):
    requirements.append(Requirement("body alone", 4.4, 4.5))
    assert main(["bench"]) == 1
    assert capsys.readouterr().out.splitlines()[-3].split()[-2:] == ["4.50", "missed"]
    assert main(["bench", "--json"]) == 1
    assert [one["met"] for one in json.loads(capsys.readouterr().out)["requirements"]].count(
        False
    ) == 1
