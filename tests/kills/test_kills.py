"""The short form of `python -m tests.kills`: no kill loses, halves or leaves behind anything."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.kills.kinds import kinds, prepare
from tests.kills.running import Forks, Kind, Trial, forking

MOMENTS, SEED = 2, 17
NAMES = [
    *("training", "training of a classifier", "table", "ablation", "export to ONNX"),
    *("export to safetensors", "adapting", "pictures of a folder", "download", "ZIP"),
]


@pytest.fixture(scope="module")
def known() -> Iterator[dict[str, Kind]]:
    with kinds() as known:
        yield known


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forking(prepare) as forks:
        yield forks


@pytest.mark.parametrize("name", NAMES)
def test_what_is_killed_goes_on_as_if_it_had_not_been(name, known, forks, tmp_path):
    trial = Trial(known[name], forks, tmp_path / "trial")
    assert not [*trial.faults(MOMENTS, SEED, clock=False)]


def test_every_kind_is_killed(known):
    assert list(known) == NAMES


def careless(words: Sequence[str]) -> int:
    """Writes as nobody ought to: in place, behind what is there, beside a file of its own."""
    beside = Path(f"{secrets.token_hex(8)}.tmp")
    beside.write_bytes(b"")
    with Path("out.bin").open("ab") as file:
        file.write(b"1" * 10)
        file.flush()
        Path("other.bin").write_bytes(b"")
        file.write(b"2" * 10)
    beside.unlink()
    return 0


def test_carelessness_is_seen(forks, tmp_path):
    kind = Kind("careless", careless, lambda folder: [], {})
    faults = [*Trial(kind, forks, tmp_path / "trial").faults(8, SEED, clock=False)]
    for what in ("out.bin is half written", "out.bin is another", "other files: "):
        assert any(what in fault for fault in faults), what
