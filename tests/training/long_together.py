"""A recipe under torchrun itself: `make cluster`."""

import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.sweeps.dask_cluster import environment

# So small that no formula is worth compiling.
RECIPE = """
scale = 2
features = 8
blocks = 4
steps = 6
batch = 4
patch = 8
warmup = 1
ema = 0.9
method = "rlq"
depths = true
plain_steps = 3
"""


def trained(words: list[str], folder: Path, photographs: Path) -> tuple[dict, dict]:
    command = [*words, "-m", "quantlib", "train", str(folder / "tiny.toml"), "--json"]
    command += ["--data", str(photographs), "--out", str(folder)]
    done = subprocess.run(
        command, env=dict(environment()), cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1, "one report for all processes"
    card = json.loads((folder / "tiny.json").read_text())
    return load_file(folder / "tiny.safetensors"), card


def test_two_processes_write_one_network_with_the_card_of_both(photographs, tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    found = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        (folder / "tiny.toml").write_text(RECIPE)
        words = [*torchrun, "--nproc-per-node", str(processes)]
        found[processes] = trained(words, folder, photographs)
    assert [card["training"]["processes"] for _, card in found.values()] == [1, 2]
    assert found[1][0].keys() == found[2][0].keys()
    assert all(torch.isfinite(value.float()).all() for value in found[2][0].values())
