"""A checkout that is read-only and a home that is missing: caches lie where BITLENS_CACHE says."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantlib.caches import FOLDERS, VARIABLE, point_caches
from tests.deploy.read_only import NO_HOME, ROOT, environment

KERNEL = """
import numpy as np
from quantlib.runtime.compiled_passes import limit
codes = np.array([1, 9], np.uint8)
limit(codes, np.array([3, 3], np.uint8), np.uint8(7))
print(codes.tolist())
"""

PAGE = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[1], default_timeout=150).run()
print(page.title[0].value, [one.value for one in page.exception], [one.value for one in page.error])
"""


def run(words: list[str], **how) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=200, **how
    )


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("cache", "tmp", "out")}
    for folder in made.values():
        folder.mkdir()
    return made


@pytest.mark.parametrize("home", [NO_HOME, ROOT], ids=["no home", "read-only home"])
def test_a_picture_is_enlarged_where_only_caches_can_be_written(home, tmp_path, folders):
    picture, result = tmp_path / "small.png", folders["out"] / "large.png"
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    Image.fromarray(noise).save(picture)
    process = environment(tmp_path / "site", [*folders.values()])
    process |= {VARIABLE: str(folders["cache"]), "TMPDIR": str(folders["tmp"]), "HOME": str(home)}
    verb = ["-m", "quantlib", "upscale", str(picture), str(result)]
    done = run([*verb, "--model", "builtin:edsr-x2", "--method", "dqa"], env=process, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(result).size == (48, 40)
    assert not [*folders["tmp"].iterdir()]


def test_the_first_page_is_shown_where_only_caches_can_be_written(tmp_path, folders):
    process = environment(tmp_path / "site", [*folders.values()])
    process |= {VARIABLE: str(folders["cache"]), "TMPDIR": str(folders["tmp"])}
    page = str(ROOT / "pages" / "workbench.py")
    done = run(["-c", PAGE, page], env=process, cwd=ROOT)  # where Streamlit finds its settings
    assert done.stdout == "Workbench [] []\n", done.stderr
    assert not [*folders["tmp"].iterdir()] and not NO_HOME.exists()


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
def test_kernels_run_where_their_code_can_be_kept_and_where_it_cannot(kept, tmp_path, folders):
    process = environment(tmp_path / "site", [folders["cache"]] if kept else [])
    process |= {VARIABLE: str(folders["cache"])}
    done = run(["-c", KERNEL], env=process)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "[3, 7]\n")
    assert bool([*(folders["cache"] / "numba").rglob("compiled_passes.limit-*.nbc")]) == kept


@pytest.mark.parametrize("place", [ROOT / "made", NO_HOME / "made", Path("/made")])
def test_such_a_process_writes_nowhere_else(place, tmp_path, folders):
    process = environment(tmp_path / "site", [*folders.values()])
    for line in (f"open({str(place)!r}, 'w')", f"import os; os.mkdir({str(place)!r})"):
        done = run(["-S", "-c", f"import sitecustomize; {line}"], env=process)
        assert "Read-only file system" in done.stderr
    assert not place.exists()


def test_a_library_s_own_variable_goes_first_and_none_is_set_without_a_folder(tmp_path):
    environment = {VARIABLE: str(tmp_path), "HF_HOME": "/models"}
    point_caches(environment)
    assert environment == {
        VARIABLE: str(tmp_path),
        **{variable: str(tmp_path / name) for variable, name in FOLDERS.items()},
        "HF_HOME": "/models",
    }
    environment = {"HOME": "/home/somebody"}
    point_caches(environment)
    assert environment == {"HOME": "/home/somebody"}
