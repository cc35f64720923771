"""Where verbs read and write: files and folders mistaken for each other, in place, and full."""

import ast
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.ablation.points import Results
from quantlib.ablation.summary import Summary
from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.imaging.files import write_picture
from quantlib.imaging.samples import load_sample
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.card import NetworkCard
from tests.architecture.imports import ROOT
from tests.cli.notes import without_notes

PLANS = ROOT / "assets" / "plans"
UNWRITABLE = Path("/sys")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A tiny network, two pictures in a folder and one beside it."""
    torch.manual_seed(0)
    save_file(EDSR(2, features=4, blocks=1).state_dict(), tmp_path / "net.safetensors")
    (tmp_path / "in").mkdir()
    crop = load_sample("cat", 40).rgb
    Image.fromarray(crop[:16, :12]).save(tmp_path / "in" / "a.png")
    Image.fromarray(crop[:12, :20]).save(tmp_path / "in" / "b.jpg", quality=90)
    Image.fromarray(crop[:16, :12]).save(tmp_path / "a.png")
    (tmp_path / "recipe.toml").write_text(
        "scale = 2\nfeatures = 4\nblocks = 1\nsteps = 2\nbatch = 1\npatch = 8\n"
    )
    return tmp_path


def report(capsys, *words: object) -> dict:
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words: object) -> str:
    capsys.readouterr()
    assert main([*map(str, words)]) == 2
    out, err = capsys.readouterr()
    err = without_notes(err)
    assert out == "" and err.startswith("quantlib: ") and err.count("\n") == 1
    return err


def model(folder: Path) -> tuple[str, Path]:
    return "--model", folder / "net.safetensors"


def test_a_folder_is_upscaled_as_its_pictures_are(folder, capsys):
    out = folder / "out"
    found = report(capsys, "upscale", folder / "in", out, *model(folder), "--method", "direct")
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png"]
    assert [image["name"] for image in found["images"]] == ["a", "b"]
    for image, name in zip(found["images"], ("a.png", "b.jpg"), strict=True):
        words = ("--method", "direct", *model(folder))
        alone = report(capsys, "upscale", folder / "in" / name, folder / "one.png", *words)
        assert alone["bytes"] == image["bytes"]
        assert (folder / "one.png").read_bytes() == Path(image["output"]).read_bytes()
        assert alone.keys() - image.keys() >= {"model", "method", "scale"}
    for part, total in found["bytes"].items():
        assert total == sum(image["bytes"][part] for image in found["images"])
    assert main([*map(str, ("upscale", folder / "in", out, *model(folder)))]) == 0
    assert capsys.readouterr().out.startswith(f"2 pictures in {out}: ")


@pytest.mark.parametrize(
    ("given", "output", "sentence"),
    [
        ("in", "a.png", "is a folder; name a folder for its results"),
        ("in", "new.png", "is a folder; name a folder for its results"),
        ("in", "recipe.toml", "recipe.toml is a file; name a folder"),
        ("in", "-", "is a folder; name a folder for its results"),
        ("a.png", "in", "does not end in .png"),
        ("a.png", "in.png", "in.png is a folder; name a file"),
        ("none", "out", "out does not end in .png"),
        ("none.png", "out.png", "There is no picture none.png"),
        ("in.png", "out", "picture; name a folder that does"),
    ],
)
def test_files_and_folders_mistaken_for_each_other(folder, capsys, given, output, sentence):
    (folder / "in.png").mkdir()
    before = sorted(folder.rglob("*"))
    out = output if output == "-" else folder / output
    assert sentence in refused(capsys, "upscale", folder / given, out, *model(folder))
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["evaluate", "--hr", "a.png", "--lr", "in", "--scale", "2", "-m"], "is not a folder"),
        (["importance", "--images", "a.png", "-m"], "a.png is not a folder"),
        (["evaluate", "--sample", "in", "--scale", "2", "-m"], "in is a folder; choose a picture"),
        (["classify", "--data", "a.png", "-m"], "no classification network that is recognised"),
        (["train", "in", "--data", "in", "--out", "out"], "cannot be read"),
        (["train", "recipe.toml", "--data", "a.png", "--out", "out"], "a.png is not a folder"),
        (["train", "recipe.toml", "--data", "in", "--out", "a.png"], "a.png is a file; name a"),
        (["ablation", "in", "--data", "in", "--results", "r.json"], "is no plan of an ablation"),
        (["ablation", "{ablation}", "--data", "a.png", "--results", "r.json"], "is not a folder"),
        (["ablation", "{ablation}", "--data", "in", "--results", "in"], "in is a folder; name a"),
        (
            ["ablation", "{ablation}", "--data", "in", "--results", "r.json", "--summary", "in"],
            "in is a folder; name a file",
        ),
        (
            ["ablation", "{ablation}", "--data", "in", "--results", "a.png/r.json"],
            "a.png is a file; name a folder",
        ),
    ],
    ids=str,
)
def test_other_verbs_name_what_they_cannot_use(folder, capsys, monkeypatch, words, sentence):
    monkeypatch.chdir(folder)
    given = [word.format(ablation=PLANS / "ablation.toml") for word in words]
    if given[-1] == "-m":
        given = [*given[:-1], *map(str, model(folder))]
    assert sentence in refused(capsys, *given)


def test_a_results_file_of_a_comparison_is_checked_first(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "plan.toml").write_text(
        (folder / "recipe.toml").read_text()
        + "[compare]\nmethods = ['lsq']\nbits = [4]\nseeds = [0]\n"
    )
    (folder / "high").mkdir()
    Image.fromarray(load_sample("cat", 40).rgb[:32, :24]).save(folder / "high" / "a.png")
    words = ("--data", "high", "--validate", "x", "high", "in", "--out", "out")
    said = refused(capsys, "comparison", "plan.toml", *words, "--results", "in")
    assert "in is a folder; name a file" in said


def test_an_output_that_is_the_input(folder, capsys):
    before = (folder / "a.png").read_bytes()
    report(capsys, "upscale", folder / "a.png", folder / "other.png", *model(folder))
    report(capsys, "upscale", folder / "a.png", folder / "a.png", *model(folder))
    assert (folder / "a.png").read_bytes() == (folder / "other.png").read_bytes() != before


def test_a_home_folder_that_the_shell_left_as_it_was(folder, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    words = ("--model=~/net.safetensors", "--method=fp32")
    report(capsys, "upscale", "~/a.png", "~/out.png", *words)
    assert (folder / "out.png").is_file()
    (folder / "LR").mkdir()
    Image.fromarray(np.array(Image.open(folder / "a.png"))[::2, ::2]).save(folder / "LR" / "a.png")
    (folder / "HR").mkdir()
    os.rename(folder / "a.png", folder / "HR" / "a.png")
    found = report(capsys, "evaluate", "--hr=~/HR", "--lr=~/LR", "--scale=2", *words)
    assert [image["name"] for image in found["images"]] == ["a"]


def test_two_pictures_of_one_name(folder, capsys):
    (folder / "in" / "a.jpg").write_bytes((folder / "in" / "b.jpg").read_bytes())
    said = refused(capsys, "upscale", folder / "in", folder / "out", *model(folder))
    assert "the same name but for its ending" in said and not (folder / "out").exists()


def test_a_picture_and_json_do_not_share_standard_output(folder, capsys):
    words = (folder / "a.png", "-", *model(folder), "--json")
    assert "cannot both go to standard output" in refused(capsys, "upscale", *words)


WRITERS = {
    "picture": (".png", lambda path: write_picture(path, np.zeros((2, 2, 3), np.uint8))),
    "card": (".json", NetworkCard("EDSR", scale=2).write),
    "points": (".json", lambda path: Results().write(path)),
    "summary": (".json", lambda path: Summary((), {}).write(path)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_older_file(tmp_path, monkeypatch, kind):
    ending, write = WRITERS[kind]
    path = tmp_path / f"file{ending}"
    path.write_bytes(b"older")
    monkeypatch.setattr("quantlib.files.os.fsync", full)
    with pytest.raises(QuantlibError, match="There is no room for"):
        write(path)
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]


def full(handle: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("nth", [1, 2, 3], ids=["checkpoint", "weights", "card"])
def test_a_disk_that_is_full_in_training(folder, capsys, monkeypatch, nth):
    out = folder / "out"
    out.mkdir()
    names = ["recipe.pt", "recipe.safetensors", "recipe.json"]
    for name in names:
        (out / name).write_bytes(b"older")
    calls = []

    def full_at_last(handle: int) -> None:
        calls.append(handle)
        if len(calls) == nth:
            full(handle)

    Image.fromarray(load_sample("cat", 40).rgb[:32, :24]).save(folder / "in" / "c.png")
    monkeypatch.setattr("quantlib.files.os.fsync", full_at_last)
    words = (folder / "recipe.toml", "--data", folder / "in", "--out", out)
    assert main([*map(str, ("train", *words))]) == 2
    assert f"There is no room for {out / names[nth - 1]}" in capsys.readouterr().err
    assert [(out / name).read_bytes() == b"older" for name in names] == [
        at >= nth for at in (1, 2, 3)
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)


@pytest.mark.skipif(not UNWRITABLE.is_dir(), reason="there is no folder that refuses everybody")
def test_a_folder_that_may_not_be_written(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    for words in (
        ("upscale", "a.png", UNWRITABLE / "a.png", *model(folder)),
        ("train", "recipe.toml", "--data", "in", "--out", UNWRITABLE / "bitlens"),
        ("ablation", PLANS / "ablation.toml", "--data", "in", "--results", UNWRITABLE / "r.json"),
    ):
        assert "may not be written" in refused(capsys, *words)


def test_nothing_is_written_past_the_one_helper():
    own = {"write_text", "write_bytes", "save_file"}
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in ROOT.glob("quantlib/**/*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in own)
        or (isinstance(node, ast.Name) and node.id in own)
    }
    assert not found
