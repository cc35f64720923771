"""A Space of the Hugging Face Hub: what its README promises is what the Dockerfile does."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.architecture.test_repository import ROOT
from tests.deploy.dockerfile import Walk, instructions

README = (ROOT / "deploy" / "space" / "README.md").read_text("utf-8")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
FLAVOURS = {"cpu-basic", "cpu-upgrade"}
ASSEMBLE = ("sh", str(ROOT / "deploy" / "space" / "assemble.sh"))


@pytest.fixture(scope="module")
def front() -> dict:
    begin, front, text = README.split("---\n", 2)
    assert not begin and text.startswith("\n# Bitlens\n")
    return yaml.safe_load(front)


@pytest.fixture(scope="module")
def dockerfile() -> dict[str, str]:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    return {one.word: one.rest for one in instructions(text)}


def test_the_space_asks_for_the_port_that_the_image_opens(front, dockerfile):
    assert front["sdk"] == "docker"
    port = front["app_port"]
    assert dockerfile["EXPOSE"] == str(port)
    assert f"--server.port={port}" in dockerfile["CMD"]
    assert f"127.0.0.1:{port}/" in dockerfile["HEALTHCHECK"]
    assert "--server.address=0.0.0.0" in dockerfile["CMD"]


def test_a_space_runs_as_user_1000_and_so_does_the_image(dockerfile):
    assert dockerfile["USER"] == "1000"


def test_the_front_matter_is_what_the_hub_reads(front):
    assert front["title"] == "Bitlens"
    assert {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert front["suggested_hardware"] in FLAVOURS
    assert 0 < len(front["short_description"]) <= 60
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert front["license"] == citation["license"].lower()


def test_a_space_is_assembled_of_what_the_image_is_built_of(tmp_path):
    space = tmp_path / "a space"
    subprocess.run([*ASSEMBLE, space], check=True, cwd=tmp_path)
    listed = subprocess.run(
        ["git", "ls-tree", "-rz", "--name-only", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    committed = [Path(name) for name in listed.stdout.split("\0") if name]
    needed = {*Walk(ROOT, committed, tmp_path / "image" / "root").files}
    inside = {path.relative_to(space) for path in space.rglob("*") if path.is_file()}
    beside = {Path(name) for name in (".dockerignore", "Dockerfile", "README.md")}
    assert needed | beside <= inside
    assert inside - needed - beside == {Path("assets/screenshot.png")}
    assert (space / "README.md").read_text("utf-8").startswith("---\ntitle: Bitlens\n")


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    done = subprocess.run([*ASSEMBLE, tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"{tmp_path} is not empty; name a new folder.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
