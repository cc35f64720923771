import os
from pathlib import Path

import pytest

from quantlib.errors import QuantlibError
from quantlib.imaging import folders
from quantlib.imaging.folders import files_in, picture_files
from quantlib.imaging.formats import ENDINGS


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def names(folder: Path, below: bool = False) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in picture_files(folder, below)]


def test_every_ending_in_any_case(tmp_path):
    wanted = [f"a{at}{ending}" for at, ending in enumerate(ENDINGS)]
    put(tmp_path, *wanted, "B.PNG", "C.Jpg", "notes.txt", "d.gif", "png")
    assert names(tmp_path) == sorted([*wanted, "B.PNG", "C.Jpg"])


def test_what_operating_systems_leave_behind(tmp_path):
    put(tmp_path, "a.png", ".DS_Store", "._a.png", ".hidden.png", "Thumbs.db", "desktop.ini")
    put(tmp_path, "__MACOSX/a.png", "@eaDir/a.png", ".cache/a.png", "$RECYCLE.BIN/a.png")
    put(tmp_path, "more/b.png", "more/._b.png")
    assert names(tmp_path) == ["a.png"]
    assert names(tmp_path, below=True) == ["a.png", "more/b.png"]


def test_what_was_downloaded_twice(tmp_path):
    put(tmp_path, "a.png", "b (1).png", "c.png", "c (1).png")
    for copy in ("a (1).png", "a (2).png", "a(1).png"):
        (tmp_path / copy).write_bytes((tmp_path / "a.png").read_bytes())
    assert names(tmp_path) == ["a.png", "b (1).png", "c (1).png", "c.png"]


def test_a_folder_with_a_pictures_ending_is_none(tmp_path):
    put(tmp_path, "a.png/b.png")
    assert names(tmp_path) == []
    assert names(tmp_path, below=True) == ["a.png/b.png"]


def test_folders_that_are_not_there(tmp_path):
    put(tmp_path, "file")
    with pytest.raises(QuantlibError, match="There is no folder"):
        picture_files(tmp_path / "none")
    with pytest.raises(QuantlibError, match="is not a folder"):
        picture_files(tmp_path / "file")


@pytest.mark.parametrize("below", [True, False])
def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch, below):
    put(tmp_path, "a.png", "locked/b.png")
    locked = tmp_path / "locked"
    scan = os.scandir

    def refuse(place):
        if Path(place) == locked:
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(QuantlibError, match=r"The folder .*locked cannot be read") as error:
        picture_files(tmp_path if below else locked, below)
    assert str(error.value).endswith("check its permissions.")


def test_other_files(tmp_path):
    put(tmp_path, "a.parquet", "a.png", "in/b.PARQUET", ".c.parquet")
    found = files_in(tmp_path, (".parquet",), below=True)
    assert [path.name for path in found] == ["a.parquet", "b.PARQUET"]
