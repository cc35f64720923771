import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from quantlib import files
from quantlib.errors import QuantlibError
from quantlib.files import check_writable, write_whole
from tests.architecture.imports import ROOT

AS_ROOT = os.geteuid() == 0


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(path: Path, data: bytes = b"new") -> str:
    with pytest.raises(QuantlibError) as error:
        write_whole(path, data)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_new_and_again(tmp_path):
    path = tmp_path / "a.bin"
    for data in (b"first", b"", bytes(range(256)) * 5000):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert names(tmp_path) == ["a.bin"]


def test_permissions_are_those_of_the_older_file_or_usual_ones(tmp_path):
    usual, own = tmp_path / "usual", tmp_path / "own"
    own.write_bytes(b"")
    own.chmod(0o640)
    mask = os.umask(0o027)
    try:
        write_whole(usual, b"1")
        write_whole(own, b"1")
    finally:
        os.umask(mask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (usual, own)] == [0o640, 0o640]


def test_a_link_goes_on_pointing_to_its_file(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder / "file")
    write_whole(link, b"1")
    assert link.is_symlink() and (folder / "file").read_bytes() == b"1"


def test_a_full_disk_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"older")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    assert "There is no room for" in refused(path)
    assert path.read_bytes() == b"older"
    assert names(tmp_path) == ["a.bin"]


def test_files_that_may_not_grow_as_long_leave_the_older_one(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"older")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        sentence = refused(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "There is no room for" in sentence
    assert path.read_bytes() == b"older"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_device_is_written_to_as_it_is():
    assert "There is no room for /dev/full" in refused(Path("/dev/full"))
    write_whole(Path("/dev/null"), b"1")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_interrupt_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"older")

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"older"
    assert names(tmp_path) == ["a.bin"]


KILLED = """
import os, signal, sys
from pathlib import Path
from quantlib import files
files.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
files.write_whole(Path(sys.argv[1]), b"new")
"""


def part_of_one_that_was_killed(path: Path) -> Path:
    """What is left of a process that was killed when it had written all of `path`."""
    done = subprocess.run([sys.executable, "-c", KILLED, path], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    (part,) = (one for one in path.parent.iterdir() if files.PART.fullmatch(one.name))
    assert part.read_bytes() == b"new"
    return part


@pytest.mark.parametrize(
    "then", [lambda path: check_writable(path), lambda p: write_whole(p, b""), files.sweep]
)
def test_whoever_writes_next_sweeps_what_a_killed_one_has_left(tmp_path, then):
    path = tmp_path / "a.bin"
    path.write_bytes(b"older")
    part = part_of_one_that_was_killed(path)
    assert path.read_bytes() == b"older"
    then(tmp_path if then is files.sweep else tmp_path / "b.bin")
    assert not part.exists()
    assert set(names(tmp_path)) <= {"a.bin", "b.bin"}


def test_nobody_sweeps_what_is_being_written_or_is_none_of_ours(tmp_path):
    path, others = tmp_path / "a.bin", tmp_path / ".download.part"
    others.write_bytes(b"1")
    seen = []

    def look(handle: int) -> None:
        files.sweep(tmp_path)
        seen.extend(names(tmp_path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", look)
        write_whole(path, b"new")
    assert len(seen) == 2 and path.read_bytes() == b"new"
    assert names(tmp_path) == [".download.part", "a.bin"]


def test_a_part_that_is_swept_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    lock, locked = files._lock, []

    def swept_first(file, wait: bool) -> bool:
        if not locked:
            Path(file.name).unlink()
        locked.append(file.name)
        return lock(file, wait)

    monkeypatch.setattr(files, "_lock", swept_first)
    write_whole(tmp_path / "a.bin", b"new")
    assert names(tmp_path) == ["a.bin"] and len(set(locked)) == 2


def test_without_locks_it_is_written_and_nothing_is_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_lock", lambda file, wait: False)
    left = tmp_path / f".bitlens-{'0' * 16}.part"
    left.write_bytes(b"1")
    write_whole(tmp_path / "a.bin", b"new")
    assert names(tmp_path) == [left.name, "a.bin"]


@pytest.mark.parametrize(
    "check", [lambda path: check_writable(path), lambda p: write_whole(p, b"")]
)
def test_places_that_cannot_be_written(tmp_path, check):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"older")
    for name, words in [
        ("none/a.bin", "There is no folder"),
        ("folder", "is a folder; name a file"),
        ("file/a.bin", "cannot be written"),
        ("x" * 300, "cannot be written"),
    ]:
        with pytest.raises(QuantlibError, match=words):
            check(tmp_path / name)
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.skipif(AS_ROOT, reason="permissions do not bind here")
@pytest.mark.parametrize(
    "check", [lambda path: check_writable(path), lambda p: write_whole(p, b"")]
)
def test_what_may_not_be_written(tmp_path, check):
    path = tmp_path / "a.bin"
    path.write_bytes(b"older")
    path.chmod(0o400)
    with pytest.raises(QuantlibError, match="may not be written"):
        check(path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(QuantlibError, match="may not be written"):
            check(tmp_path / "b.bin")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_refuses_a_new_file(tmp_path, monkeypatch, code):
    def refuse(*args, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "open", refuse)
    for check in (check_writable, lambda path: write_whole(path, b"")):
        with pytest.raises(QuantlibError, match="may not be written") as error:
            check(tmp_path / "a.bin")
        assert os.strerror(code) in str(error.value)


def test_a_check_leaves_nothing_and_changes_nothing(tmp_path):
    path = tmp_path / "a.PNG"
    check_writable(path, (".png",))
    assert names(tmp_path) == []
    path.write_bytes(b"older")
    check_writable(path, (".png",))
    assert path.read_bytes() == b"older" and names(tmp_path) == ["a.PNG"]


def test_endings():
    with pytest.raises(QuantlibError, match=r"a\.gif does not end in \.png; choose"):
        check_writable(Path("a.gif"), (".png",))
    with pytest.raises(QuantlibError, match=r"a does not end in \.bmp, \.png or \.tif; choose"):
        check_writable(Path("a"), (".bmp", ".png", ".tif"))
