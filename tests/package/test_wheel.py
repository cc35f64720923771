"""The package as people install it: the library with its networks, without what the app needs."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from quantlib import __version__
from quantlib.cli import main

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
BLOCKED = 'import sys\nsys.modules["streamlit"] = sys.modules["plotly"] = None\n'
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
EVALUATE = ("evaluate", "--model", "builtin:edsr-x2", "--sample", "cat", "--scale", "2", "--json")


def requirements(name: str) -> set[str]:
    lines = (line.strip() for line in (ROOT / name).read_text("utf-8").splitlines())
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    subprocess.run([*PIP, *build], check=True, capture_output=True, timeout=280)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel's own folder, where neither Streamlit nor Plotly can be imported."""
    folder = tmp_path_factory.mktemp("installed")
    install = ("install", "--no-deps", "--no-index", "--target", folder, wheel)
    subprocess.run([*PIP, *install], check=True, capture_output=True, timeout=280)
    (folder / "sitecustomize.py").write_text(BLOCKED)
    return folder


def bitlens(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The console script, outside the checkout."""
    return subprocess.run(
        [sys.executable, installed / "bin" / "bitlens", *words],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_the_wheel_evaluates_a_bundled_network_as_the_checkout_does(installed, capsys):
    done = bitlens(installed, *EVALUATE)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert main(EVALUATE) == 0
    wanted = json.loads(capsys.readouterr().out)
    changing = {"seconds", "images"}
    assert {k: v for k, v in found.items() if k not in changing} == {
        k: v for k, v in wanted.items() if k not in changing
    }


def test_it_is_called_by_its_name(installed):
    assert bitlens(installed, "--version").stdout == f"bitlens {__version__}\n"
    assert bitlens(installed).stdout.count("\n  bitlens ") == 2
    done = bitlens(installed, "evalute")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bitlens: There is no verb 'evalute'; did you mean 'evaluate'?")


def test_the_app_says_what_is_missing(installed):
    done = bitlens(installed, "app")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "bitlens: The app needs Streamlit and Plotly; install it with pip install 'bitlens[app]'.\n"
    )


def test_what_is_in_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"quantlib/py.typed", "quantlib/app/app.py", "quantlib/assets/published.toml"} <= {
        *names
    }
    for folder in ("weights", "recipes", "plans", "results"):
        inside = {path.name for path in (ROOT / "assets" / folder).iterdir() if path.is_file()}
        assert inside == {
            Path(name).name
            for name in names
            if Path(name).parent == Path("quantlib/assets") / folder
        }
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_an_older_python_is_refused(wheel, tmp_path):
    here = ("--no-deps", "--no-index", "--find-links", wheel.parent, "--dest", tmp_path)
    older = ("--only-binary=:all:", "--python-version", "3.10")
    done = subprocess.run(
        [*PIP, "download", *here, *older, "bitlens"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "requires a different Python: 3.10.0 not in '>=3.11'" in done.stderr
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert HeaderParser().parsestr(archive.read(name).decode())["Requires-Python"] == ">=3.11"


def test_the_requirements_are_those_of_the_package_and_its_app():
    app = PROJECT["optional-dependencies"]["app"]
    assert requirements("requirements.txt") == {*PROJECT["dependencies"], *app}
    assert {line.partition(">")[0] for line in app} == {"streamlit", "plotly"}
