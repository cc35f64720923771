"""Two processes that share every batch train as one does."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.together import Together
from tests.sweeps.dask_cluster import environment, wait_for
from tests.training import together_run


@pytest.fixture(autouse=True)
def in_fp32(monkeypatch):
    monkeypatch.setattr(Recipe, "bfloat16", False)


def start(work: str, photographs: Path, folder: Path) -> list[subprocess.Popen[str]]:
    """Two processes with what torchrun would tell them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    words = ["-m", "tests.training.together_run", work, str(photographs), str(folder)]
    return [
        subprocess.Popen(
            [sys.executable, *words],
            env={**environment(), **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]


def test_gradients_are_those_of_the_whole_batch(photographs, tmp_path):
    one = together_run.gradients(photographs, tmp_path)
    for process in start("gradients", photographs, tmp_path):
        _, said = process.communicate()
        assert process.returncode == 0, said
    both = torch.load(tmp_path / "result.pt")
    assert one.keys() == both.keys() == together_run.RECIPES.keys()
    for name in one:
        assert any(gradient is not None for gradient in one[name])
        for a, b in zip(one[name], both[name], strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert (a - b).abs().max() <= 1e-5, name
                assert (a - b).norm() <= 1e-3 * a.norm() + 1e-7, f"{name}: small ones differ"


def test_a_process_that_is_killed_ends_the_run_which_another_number_goes_on_with(
    photographs, tmp_path
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    (whole / "go").touch()
    wanted = together_run.long_training(photographs, whole)

    first, second = start("long_training", photographs, broken)
    wait_for(lambda: len([*broken.glob("halted-*")]) == 2)
    second.send_signal(signal.SIGKILL)
    (broken / "go").touch()
    _, said = first.communicate()
    second.communicate()
    assert first.returncode == 1
    assert "Another process of this training has ended; the last checkpoint is kept" in said
    assert torch.load(broken / "long.pt")["step"] == 6
    assert not (broken / "result.pt").exists()

    found = together_run.long_training(photographs, broken)
    for name, value in wanted.items():
        if value.is_floating_point():
            assert (found[name] - value).abs().max() <= 1e-4 * value.abs().max().clamp_min(1), name
        else:
            assert torch.equal(found[name], value), name


def test_a_batch_without_equal_shares_is_refused():
    with pytest.raises(QuantlibError, match="A batch of 4 in recipe r has no equal shares for 3"):
        Together(0, 3).check("r", 4, torch.nn.Identity())


def test_batch_norm_is_refused_where_it_would_see_a_share():
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    with pytest.raises(QuantlibError, match="Recipe r trains in one process alone"):
        Together(0, 2).check("r", 4, network)
    Together().check("r", 4, network)


def test_shares_are_the_whole_batch():
    batch = torch.arange(12)
    assert torch.cat([Together(rank, 3).share(batch) for rank in range(3)]).equal(batch)
    assert os.environ.get("RANK") is None
