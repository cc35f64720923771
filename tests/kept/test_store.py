"""What was kept comes back as it was, from any process, or not at all."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantlib.kept.digest import code_digest, digest_of
from quantlib.kept.store import Store
from quantlib.ptq import Settings
from tests.architecture.imports import ROOT

AWAY, KEPT, NEW = "aa0", "bb1", "cc2"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_another_store_of_the_folder_finds_it(tmp_path):
    Store(tmp_path, 1000).put(KEPT, b"35.51 dB")
    assert Store(tmp_path, 1000).get(KEPT) == b"35.51 dB"
    assert Store(tmp_path, 1000).get(AWAY) is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"", bytes.swapcase]
)
def test_damaged_files_are_as_good_as_none_and_are_written_anew(tmp_path, damage):
    store = Store(tmp_path, 1000)
    store.put(KEPT, b"some result")
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert store.get(KEPT) is None
    store.put(KEPT, b"some result")
    assert store.get(KEPT) == b"some result"


def test_the_longest_unused_leaves_first(tmp_path):
    store = Store(tmp_path, 1000)
    for age, digest in enumerate((AWAY, KEPT)):
        store.put(digest, bytes(400))
        (path,) = (one for one in files(tmp_path) if one.name == digest)
        os.utime(path, (age, age))
    assert store.get(AWAY) is not None  # which is then the one used last
    store.put(NEW, bytes(400))
    assert store.get(KEPT) is None
    assert store.get(AWAY) is not None and store.get(NEW) is not None
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 1000


def test_a_folder_that_cannot_be_written_to_fails_nothing(tmp_path):
    below_a_file = tmp_path / "file"
    below_a_file.write_bytes(b"")
    store = Store(below_a_file / "results", 1000)
    store.put(KEPT, b"lost")
    assert store.get(KEPT) is None


def test_what_a_killed_server_has_left_is_swept_by_the_next_one(tmp_path):
    Store(tmp_path, 1000).put(KEPT, b"35.51 dB")
    left = tmp_path / AWAY[:2] / f".bitlens-{'0' * 16}.part"
    left.parent.mkdir()
    left.write_bytes(bytes(100))
    Store(tmp_path, 1000).put(NEW, b"36.42 dB")
    assert [path.name for path in sorted(files(tmp_path))] == [KEPT, NEW]


def test_many_writers_of_one_result_leave_one_whole_file(tmp_path):
    def write(number: int) -> None:
        store = Store(tmp_path, 10**7)
        for _ in range(10):
            store.put(KEPT, bytes(50_000))
            assert store.get(KEPT) == bytes(50_000), number

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert [path.name for path in files(tmp_path)] == [KEPT]


def test_digests_are_the_same_in_another_process():
    line = "from quantlib.kept.digest import *; from quantlib.ptq import Settings; "
    line += "print(digest_of('edsr', Settings('dqa', bits=2), None, 0.4), code_digest())"
    told = subprocess.run(
        [sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True, check=True
    )
    own = digest_of("edsr", Settings("dqa", bits=2), None, 0.4)
    assert told.stdout.split() == [own, code_digest()]


def test_every_setting_counts():
    digests = {
        digest_of(Settings("dqa", bits=bits, important=r)) for bits in (2, 3) for r in (0.4, 0.5)
    }
    assert len(digests) == 4


def test_changed_code_is_another_code(tmp_path):
    @dataclass
    class Tree:
        folder: Path

        def digest(self, **sources: str) -> str:
            for name, source in sources.items():
                (self.folder / f"{name}.py").write_text(source)
            return code_digest.__wrapped__(self.folder)

    tree = Tree(tmp_path)
    first = tree.digest(a="x = 1", b="y = 2")
    assert tree.digest() == first
    assert tree.digest(a="x = 2") != first
    assert tree.digest(a="x = 1", c="") != first
