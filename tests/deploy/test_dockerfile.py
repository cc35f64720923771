"""The Dockerfile's steps, walked in a folder, and the server that they end in."""

import re
import shutil
import socket
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.architecture.test_repository import ROOT, tracked
from tests.deploy import read_only
from tests.deploy.dockerfile import Image, Walk

PORT, CACHE = 8501, "/cache"
START_SECONDS = 60
TORCH = {"torch", "torchvision"}


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Image:
    return Walk(ROOT, tracked(), tmp_path_factory.mktemp("image") / "root").walk()


def pins() -> dict[str, str]:
    lines = (ROOT / "deploy" / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return dict(pairs)


def requirements() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line]


def test_the_base_is_pinned_and_its_python_is_one_that_bitlens_takes(image):
    found = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-\w+", image.base)
    assert found
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert found[1] in SpecifierSet(project["requires-python"])


def test_the_app_and_its_networks_are_inside_and_nothing_else_is(image):
    inside = {
        path.relative_to(image.here)
        for path in image.here.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    rooms = ("quantlib", "pages", "assets", ".streamlit")
    needed = {path for path in tracked() if path.parts[0] in rooms} | {Path("app.py")}
    needed.discard(Path("assets/screenshot.png"))
    assert needed <= inside
    beside = {"LICENSE", "NOTICE", "requirements.txt", "constraints.txt"}
    assert inside - needed == {Path(name) for name in beside}


def test_what_is_copied_is_as_it_was(image):
    for path in (ROOT / "assets" / "weights").glob("*.safetensors"):
        assert (image.here / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_pytorch_comes_from_its_own_index_of_cpu_builds_and_all_else_is_pinned(image):
    torch, others = [words for words in image.recorded if words[:2] == ["pip", "install"]]
    index = torch[torch.index("--index-url") + 1]
    assert index == "https://download.pytorch.org/whl/cpu" == image.arguments["TORCH_INDEX"]
    named = [Requirement(word) for word in torch if re.match(r"torch\w*[<>=~]", word)]
    assert {one.name for one in named} == TORCH and {*map(str, named)} <= {
        *map(str, requirements())
    }
    assert others[2:] == ["-r", "requirements.txt", "-c", "constraints.txt"]
    assert torch[-4:-2] == ["-c", "constraints.txt"] and "--no-deps" in torch
    assert ["pip", "check"] in image.recorded
    assert ["python", "-c", "import torchvision"] in image.recorded


def test_every_requirement_has_a_version_that_it_allows():
    versions = pins()
    for one in requirements():
        assert versions[canonicalize_name(one.name)] in one.specifier, one
    assert not [name for name in versions if name.startswith(("nvidia", "cuda", "triton"))]


def test_it_runs_as_somebody_who_owns_the_cache_and_no_more(image):
    (made,) = [words for words in image.recorded if words[0] == "useradd"]
    assert image.user == made[made.index("--uid") + 1] != "0" and image.user.isdigit()
    owned = [words for words in image.recorded if words[0] == "install"]
    assert owned == [["install", "-d", "-o", made[-1], "-g", made[-1], CACHE]]
    assert image.volumes == [CACHE] == [image.environment["BITLENS_CACHE"]]
    assert image.ports == [PORT]


def test_the_image_holds_byte_code_as_it_cannot_be_written_later(image):
    sources = [*image.here.glob("quantlib/*.py"), *image.here.glob("pages/*.py")]
    assert all([*(one.parent / "__pycache__").glob(f"{one.stem}.*.pyc")] for one in sources)


def test_its_command_answers_its_health_check_where_nothing_but_the_cache_can_be_written(
    image, tmp_path
):
    """On a free port of this machine alone."""
    cache, temporary = image.root / "cache", tmp_path / "tmp"
    cache.mkdir()
    temporary.mkdir()
    process = read_only.environment(tmp_path / "site", [cache, temporary], image.here)
    process |= image.environment | {"BITLENS_CACHE": str(cache), "TMPDIR": str(temporary)}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    command = [
        word.replace(str(PORT), port).replace("0.0.0.0", "127.0.0.1") for word in image.command
    ]
    assert command[-2:] == ["--server.address=127.0.0.1", f"--server.port={port}"]
    check = [word.replace(str(PORT), port) for word in image.health]
    assert check[-1] != image.health[-1]
    log = tmp_path / "log"
    found = shutil.which(command[0], path=process["PATH"])
    assert found
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [found, *command[1:]], cwd=image.here, env=process, stdout=sink, stderr=sink
        )
    try:
        until = time.monotonic() + START_SECONDS
        healthy = False
        while not healthy and server.poll() is None and time.monotonic() < until:
            healthy = not subprocess.run(check, env=process, capture_output=True).returncode
        assert healthy, log.read_text()
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text()
    assert subprocess.run(check, env=process, capture_output=True).returncode != 0


def test_a_source_that_is_missing_ends_the_walk(tmp_path):
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"COPY requirements\.txt"):
        Walk(tmp_path, [], tmp_path / "image" / "root").walk()
