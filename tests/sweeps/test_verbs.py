"""Verbs whose work comes in pieces: the same in one process, in several, from what is kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.cli import main
from quantlib.models.architectures.edsr import EDSR


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A tiny network, and three pictures with their reductions."""
    torch.manual_seed(0)
    save_file(EDSR(2, features=4, blocks=1).state_dict(), tmp_path / "net.safetensors")
    drawn = np.random.default_rng(0)
    for name in ("high", "low"):
        (tmp_path / name).mkdir()
    for name in "abc":
        rgb = drawn.integers(0, 256, (32, 40, 3), np.uint8)
        Image.fromarray(rgb).save(tmp_path / "high" / f"{name}.png")
        Image.fromarray(rgb[::2, ::2]).save(tmp_path / "low" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(capsys, *words: str) -> Any:
    assert main([*words, "--model", "net.safetensors", "--json"]) == 0
    return without_seconds(json.loads(capsys.readouterr().out))


def without_seconds(value: Any) -> Any:
    """What does not depend on how fast the machine was."""
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != "seconds"}
    return [without_seconds(one) for one in value] if isinstance(value, list) else value


EVALUATE = ("evaluate", "--hr", "high", "--lr", "low", "--scale", "2", "--method", "dqa")
GREEDY = ("importance", "--images", "high", "--criterion", "greedy", "--bits", "3")


@pytest.mark.parametrize("words", [EVALUATE, GREEDY], ids=["evaluate", "greedy"])
def test_the_report_is_the_same_in_two_processes(folder, capsys, words):
    alone = report(capsys, *words)
    assert report(capsys, *words, "--jobs", "2", "--kept", "kept") == alone
    kept = {file: file.stat().st_mtime_ns for file in Path("kept").rglob("*") if file.is_file()}
    assert kept
    assert report(capsys, *words, "--jobs", "2", "--kept", "kept") == alone
    assert kept == {file: file.stat().st_mtime_ns for file in kept}, "computed again"


def test_pictures_are_the_same_from_what_is_kept(folder, capsys):
    words = ("upscale", "low", "--method", "direct", "--bits", "4")
    alone = report(capsys, *words, "alone")
    report(capsys, *words, "first", "--kept", "kept")
    again = report(capsys, *words, "again", "--kept", "kept")
    for name in "abc":
        one, *others = (
            Path(where, f"{name}.png").read_bytes() for where in ("alone", "first", "again")
        )
        assert all(other == one for other in others)
    assert [image["bytes"] for image in again["images"]] == [
        image["bytes"] for image in alone["images"]
    ]


def test_a_changed_picture_or_network_is_computed_anew(folder, capsys):
    def kept() -> int:
        report(capsys, *EVALUATE, "--kept", "kept")
        return sum(file.is_file() for file in Path("kept").rglob("*"))

    assert [kept(), kept()] == [3, 3]
    Image.open("low/a.png").rotate(180).save("low/a.png")
    assert kept() == 4
    torch.manual_seed(1)
    save_file(EDSR(2, features=4, blocks=1).state_dict(), "net.safetensors")
    assert kept() == 7
