import io
import json
import os
import pickle
import shlex
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.cli import main, parser, upscale
from quantlib.cli.verbs import verbs
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.catalogue import bundled, entries
from quantlib.ptq import Settings
from quantlib.tasks import super_resolution, tiles
from quantlib.tasks.super_resolution import (
    default_pairs,
    measure,
    prepare,
    reduced,
    sample_for,
    sites_of,
)
from quantlib.tasks.task import TASKS
from tests.cli.notes import without_notes
from tests.hub_server import HubServer, use_hub

ROOT = Path(__file__).parents[2]
CHOICES = (
    *("model", "method", "bits", "extra_bits", "important", "criterion", "depth"),
    *("runtime", "ends", "scale"),
)
RESULTS = ("psnr_y", "ssim_y", "bytes", "bits_per_activation", "seconds")
PARTS = {"fp32", "codes", "refinement", "tables", "scales", "total"}
INNER = ["body.0.body.0", "body.0.body.2", "body.1", "tail.0.0"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A tiny network, pictures, and everything that can be wrong with them."""
    folder = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    weights = EDSR(2, features=4, blocks=1).state_dict()
    save_file(weights, folder / "net.safetensors")
    save_file({k: v for k, v in weights.items() if k != "head.0.bias"}, folder / "cut.safetensors")
    crop = load_sample("cat", 96).rgb
    Image.fromarray(crop[:30, :20]).save(folder / "cat.png")
    Image.fromarray(crop[:1, :1]).save(folder / "pixel.png")
    Image.fromarray(crop).save(folder / "cat.jpg", quality=90)
    (folder / "truncated.jpg").write_bytes((folder / "cat.jpg").read_bytes()[:900])
    (folder / "text.png").write_text("this is no picture")
    Image.new("1", (12_000, 12_000)).save(folder / "huge.png")
    alpha = np.full((30, 20), 255, np.uint8)
    alpha[:, 10:] = 0
    Image.fromarray(np.dstack([crop[:30, :20], alpha])).save(folder / "alpha.png")
    for side, scale in (("HR", 1), ("LR", 2), ("LR4", 4)):
        (folder / side).mkdir()
        for name, picture in (("a", crop), ("b", crop[::-1, :64])):
            low = picture if scale == 1 else reduced(np.ascontiguousarray(picture), scale)[0]
            Image.fromarray(low).save(folder / side / f"{name}.png")
    (folder / "empty").mkdir()
    return folder


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, without_notes(err)


def report(capsys, *arguments: object) -> dict:
    status, out, err = run(capsys, *arguments, "--json")
    assert status == 0, err
    assert err == ""
    assert out.count("\n") == 1 and out.endswith("\n")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(found, dict)
    return found


def refused(capsys, *arguments: object) -> str:
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("quantlib: ") and err.endswith("\n")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


# Verbs


def test_models(capsys):
    known = [entry.name for task in TASKS for entry in entries(task)]
    found = report(capsys, "models")
    assert [m["name"] for m in found["models"]] == known
    assert {"scale", "title", "architecture", "source", "licence"} <= found["models"][0].keys()
    _, out, _ = run(capsys, "models")
    assert [line.split()[0] for line in out.splitlines()] == known


@pytest.mark.parametrize("task", TASKS)
def test_models_for_one_task(capsys, task):
    found = report(capsys, "models", "--task", task)["models"]
    assert found and {entry["task"] for entry in found} == {task}


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_help(capsys, verb):
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: python -m quantlib " + verb)
    assert "--json" in out
    examples = [line.split(maxsplit=4) for line in out.splitlines() if line.startswith("  python")]
    assert len(examples) == 2
    for *_, words in ((*example, "")[:5] for example in examples):
        parser(verb).parse_args(shlex.split(words))


@pytest.mark.parametrize("method", ["fp32", "direct", "pot", "noisyquant", "dqa", "dqa-ans"])
def test_upscale(capsys, files, tmp_path, method):
    out = tmp_path / "out.png"
    model = files / "net.safetensors"
    found = report(
        capsys, "upscale", files / "cat.png", out, "--model", model, "--method", method, "--bits", 3
    )
    assert set(found) == {*CHOICES, *RESULTS, "output", "notes"}
    assert found["bytes"].keys() == PARTS
    assert found["bytes"]["total"] == sum(
        found["bytes"][part] for part in PARTS - {"fp32", "total"}
    )
    assert found["bytes"]["fp32"] == 4 * 4 * 30 * 20 * len(INNER)
    bits = 32 * found["bytes"]["total"] / found["bytes"]["fp32"]
    assert found["bits_per_activation"] == pytest.approx(bits)
    dqa = method in ("dqa", "dqa-ans")
    wanted = {
        "model": str(model),
        "method": method,
        "bits": 32 if method == "fp32" else 3,
        "extra_bits": 3 if dqa else None,
        "important": 0.4 if dqa else None,
        "criterion": "fisher" if dqa else None,
        "depth": "full",
        "scale": 2,
        "psnr_y": None,
        "ssim_y": None,
        "output": str(out),
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["seconds"] > 0
    with Image.open(out) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (40, 60))
        written = np.array(image)
    network = load(str(model))
    sites, pairs = sites_of(network), default_pairs(network)
    rgb = np.array(Image.open(files / "cat.png"))
    np.testing.assert_array_equal(
        written, measure(prepare(sites, Settings(method, 3), pairs), rgb, 2).rgb
    )


def test_upscale_without_json_says_what_it_wrote(capsys, files, tmp_path):
    out = tmp_path / "out.png"
    status, said, err = run(
        capsys, "upscale", files / "cat.png", out, "--model", files / "net.safetensors"
    )
    assert (status, err) == (0, "")
    assert said.startswith(f"{out}: ") and "bits per activation" in said


def test_transparency_is_kept(capsys, files, tmp_path):
    out = tmp_path / "out.png"
    report(capsys, "upscale", files / "alpha.png", out, "--model", files / "net.safetensors")
    with Image.open(out) as image:
        assert (image.mode, image.size) == ("RGBA", (40, 60))
        alpha = np.array(image)[..., 3]
    assert (alpha[:, :16] == 255).all() and (alpha[:, 24:] == 0).all()


def test_what_lies_under_transparency_does_not_reach_the_edge(capsys, tmp_path, files):
    rgb, alpha = np.full((16, 16, 3), (200, 40, 30), np.uint8), np.full((16, 16), 255, np.uint8)
    pictures = {"plain": rgb.copy(), "hidden": rgb.copy()}
    pictures["hidden"][:, 8:] = (0, 255, 0)
    alpha[:, 8:] = 0
    written = {}
    for name, pixels in pictures.items():
        Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / f"{name}.png")
        out = tmp_path / f"{name}-out.png"
        report(
            capsys, "upscale", tmp_path / f"{name}.png", out, "--model", files / "net.safetensors"
        )
        written[name] = np.array(Image.open(out))
    np.testing.assert_array_equal(written["hidden"], written["plain"])


def test_the_colour_profile_is_said_and_carried_over(capsys, tmp_path, files):
    profile = profile_of_primaries(1.0)
    Image.open(files / "cat.png").save(tmp_path / "linear.png", icc_profile=profile)
    out = tmp_path / "out.tif"
    model = ("--model", files / "net.safetensors")
    found = report(capsys, "upscale", tmp_path / "linear.png", out, *model)
    assert found["notes"] == ["colour profile gamma 1.00 converted to sRGB"]
    with Image.open(out) as image:
        assert image.info["icc_profile"] == profile
    _, said, _ = run(capsys, "upscale", tmp_path / "linear.png", out, *model)
    assert said.splitlines()[1:] == found["notes"]


def test_one_picture_into_a_folder_is_named_by_its_settings(capsys, files, tmp_path):
    model = ("--model", files / "net.safetensors", "--method", "dqa", "--bits", 3)
    out = tmp_path / "out"
    found = report(capsys, "upscale", files / "cat.png", out, *model, "--long-names")
    assert found["output"] == str(out / "cat-x2-dqa-n3m3r40.png")
    assert Image.open(found["output"]).size == (40, 60)
    for output in (found["output"], "-"):
        sentence = refused(capsys, "upscale", files / "cat.png", output, *model, "--long-names")
        assert "is no folder; with --long-names, name one." in sentence


def test_a_folder_with_long_names(capsys, files, tmp_path):
    model = ("--model", files / "net.safetensors", "--method", "fp32")
    out = tmp_path / "out"
    found = report(capsys, "upscale", files / "LR", out, *model, "--long-names")
    names = [f"{one['name']}-x2-fp32.png" for one in found["images"]]
    assert sorted(one.name for one in out.iterdir()) == sorted(names) and names
    report(capsys, "upscale", files / "LR", out, *model)
    assert {f"{one['name']}.png" for one in found["images"]} < {o.name for o in out.iterdir()}


def test_whatever_a_camera_or_a_program_writes_goes_through_in_tiles(
    capsys, files, tmp_path, monkeypatch
):
    """16 bits, a colour profile, transparency and EXIF rotation, in one piece and in several."""
    rgba = np.random.default_rng(4).integers(0, 256, (50, 40, 4), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = profile_of_primaries(1.0)
    Image.fromarray(rgba).save(tmp_path / "rgba.png", icc_profile=profile, exif=exif)
    deep = np.arange(50 * 40, dtype=np.uint16).reshape(50, 40) * 32
    Image.fromarray(deep).save(tmp_path / "deep.png")
    model = ("--model", files / "net.safetensors", "--method", "fp32")
    made = []
    for pixels in (tiles.WHOLE_PIXELS, 0):
        monkeypatch.setattr(tiles, "WHOLE_PIXELS", pixels)
        monkeypatch.setattr(tiles, "TILE", 16)
        found = report(capsys, "upscale", tmp_path / "rgba.png", tmp_path / "out.png", *model)
        assert "EXIF rotation applied" in found["notes"]
        with Image.open(tmp_path / "out.png") as image:
            assert (image.mode, image.size) == ("RGBA", (100, 80))
            assert image.info["icc_profile"] == profile
            made.append(np.asarray(image).astype(int))
        found = report(capsys, "upscale", tmp_path / "deep.png", tmp_path / "deep-out.tif", *model)
        assert "16 bit reduced to 8" in found["notes"]
        made.append(np.asarray(Image.open(tmp_path / "deep-out.tif")).astype(int))
    for whole, in_tiles in zip(made[:2], made[2:], strict=True):
        assert np.abs(whole - in_tiles).max() <= 1


def test_jpeg_by_its_quality(capsys, tmp_path, files):
    out = tmp_path / "out.jpg"
    model = ("--model", files / "net.safetensors")
    report(capsys, "upscale", files / "cat.png", out, *model, "--quality", "90")
    with Image.open(out) as image:
        assert (image.format, image.size) == ("JPEG", (40, 60))
    assert "no transparency" in refused(
        capsys, "upscale", files / "alpha.png", out, *model, "--quality", "90"
    )


def test_an_output_that_is_the_input(capsys, tmp_path, files):
    path = tmp_path / "cat.png"
    path.write_bytes((files / "cat.png").read_bytes())
    report(capsys, "upscale", path, path, "--model", files / "net.safetensors")
    assert Image.open(path).size == (40, 60)
    assert [p.name for p in tmp_path.iterdir()] == ["cat.png"]


def test_reductions_that_were_rounded_up_are_cut_and_said(capsys, tmp_path, files):
    rgb = np.array(Image.open(files / "HR" / "a.png"))
    for side, pixels in (("HR", rgb[:95, :93]), ("LR", rgb[:48, :47])):
        (tmp_path / side).mkdir()
        Image.fromarray(pixels).save(tmp_path / side / "a.png")
    given = ("--hr", tmp_path / "HR", "--lr", tmp_path / "LR", "--scale", 2)
    found = report(capsys, "evaluate", *given, "--model", files / "net.safetensors")
    assert found["images"][0]["notes"] == ["cut to 93×95, as its original is"]


@pytest.mark.parametrize("method", ["fp32", "direct", "dqa"])
def test_one_pixel(capsys, files, tmp_path, method):
    out = tmp_path / "out.png"
    model = files / "net.safetensors"
    report(capsys, "upscale", files / "pixel.png", out, "--model", model, "--method", method)
    assert Image.open(out).size == (2, 2)


def test_evaluate_a_folder(capsys, files):
    arguments = ("--model", files / "net.safetensors", "--scale", 2, "--method", "dqa", "--bits", 3)
    found = report(capsys, "evaluate", "--hr", files / "HR", "--lr", files / "LR", *arguments)
    more = {"left_out", "weight_bytes", "images", "convention"}
    assert set(found) == {*CHOICES, *RESULTS, *more}
    assert found["left_out"] == {}
    assert [image["name"] for image in found["images"]] == ["a", "b"]
    network = load(str(files / "net.safetensors"))
    quantized = prepare(sites_of(network), Settings("dqa", 3), default_pairs(network))
    for image in found["images"]:
        low, high = (
            np.array(Image.open(files / side / f"{image['name']}.png")) for side in ("LR", "HR")
        )
        wanted = measure(quantized, low, 2, high)
        assert image["psnr_y"] == pytest.approx(wanted.psnr_y, abs=1e-9)
        assert image["ssim_y"] == pytest.approx(wanted.ssim_y, abs=1e-9)
        assert image["bytes"] == wanted.ledger.as_dict()
    for name in ("psnr_y", "ssim_y"):
        assert found[name] == pytest.approx(np.mean([i[name] for i in found["images"]]))
    for part in PARTS:
        assert found["bytes"][part] == sum(i["bytes"][part] for i in found["images"])
    status, out, _ = run(capsys, "evaluate", "--hr", files / "HR", "--lr", files / "LR", *arguments)
    assert status == 0
    assert out.splitlines()[2].split()[:2] == ["mean", f"{found['psnr_y']:.2f}"]


@pytest.mark.parametrize("name", [entry.name for entry in bundled()])
def test_evaluate_a_sample(capsys, name, monkeypatch):
    monkeypatch.setattr(super_resolution, "INPUT_SIDE", 48)
    network = load(name)
    scale = network.scale
    found = report(
        capsys, "evaluate", "--sample", "astronaut", "--scale", scale, "--model", name,
        "--method", "direct", "--bits", 4,
    )  # fmt: skip
    low, truth = reduced(sample_for("astronaut", scale), scale)
    quantized = prepare(sites_of(network), Settings("direct", 4), default_pairs(network))
    wanted = measure(quantized, low, scale, truth)
    assert found["psnr_y"] == pytest.approx(wanted.psnr_y, abs=1e-9)
    assert found["ssim_y"] == pytest.approx(wanted.ssim_y, abs=1e-9)
    assert found["bytes"] == wanted.ledger.as_dict()


def test_a_picture_file_as_the_sample(capsys, files):
    found = report(
        capsys, "evaluate", "--sample", files / "cat.png", "--scale", 2,
        "--model", files / "net.safetensors",
    )  # fmt: skip
    assert found["images"][0]["bytes"]["fp32"] == 4 * 4 * 15 * 10 * len(INNER)


def test_what_json_has_no_number_for_is_null(capsys, files, tmp_path):
    """SSIM does not exist for a picture smaller than its window."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)).save(
        tmp_path / "small.png"
    )
    found = report(
        capsys, "evaluate", "--sample", tmp_path / "small.png", "--scale", 2,
        "--model", files / "net.safetensors",
    )  # fmt: skip
    assert found["ssim_y"] is None
    assert isinstance(found["psnr_y"], float)


def test_pictures_that_would_outweigh_all_others_are_left_out_of_the_mean(capsys, files, tmp_path):
    """One of one colour, one that the network meets exactly, one of a pixel, beside two others."""
    model = files / "net.safetensors"
    rng = np.random.default_rng(1)
    lows = {name: rng.integers(0, 256, (20, 20, 3)).astype(np.uint8) for name in ("a", "b", "met")}
    lows |= {"flat": np.full((20, 20, 3), 9, np.uint8), "pixel": np.zeros((1, 1, 3), np.uint8)}
    truths = {name: low.repeat(2, 0).repeat(2, 1) for name, low in lows.items()}
    with torch.no_grad():
        truths["met"] = to_uint8(load(str(model))(to_tensor(lows["met"])))
    for folder, pictures in (("HR", truths), ("LR", lows)):
        (tmp_path / folder).mkdir()
        for name, picture in pictures.items():
            Image.fromarray(picture).save(tmp_path / folder / f"{name}.png")
    arguments = ["evaluate", "--hr", tmp_path / "HR", "--lr", tmp_path / "LR", "--scale", 2]
    arguments += ["--model", model]
    found = report(capsys, *arguments)
    assert found["left_out"] == {
        "flat": "its truth has one colour only",
        "met": "its result equals its truth",
        "pixel": "it is too small without its border",
    }
    images = {image["name"]: image for image in found["images"]}
    for value in RESULTS[:2]:
        assert found[value] == np.mean([images[name][value] for name in ("a", "b")])
    assert images["flat"]["psnr_y"] is not None
    assert images["met"]["psnr_y"] is None is images["pixel"]["psnr_y"]
    _, said, _ = run(capsys, *arguments)
    assert "met is left out of the mean: its result equals its truth." in said
    assert "inf dB" in said


def test_a_mean_of_nothing(capsys, files, tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "black.png")
    arguments = ["evaluate", "--sample", tmp_path / "black.png", "--scale", 2]
    arguments += ["--model", files / "net.safetensors"]
    found = report(capsys, *arguments)
    assert found["psnr_y"] is found["ssim_y"] is None
    assert isinstance(found["images"][0]["psnr_y"], float)
    _, said, _ = run(capsys, *arguments)
    assert ["mean", "–", "–"] in [line.split() for line in said.splitlines()]


@pytest.mark.parametrize("criterion", ["greedy", "random", "energy", "saliency", "fisher", "gain"])
def test_importance(capsys, files, criterion):
    found = report(
        capsys, "importance", "--model", files / "net.safetensors", "--images", files / "LR4",
        "--criterion", criterion, "--bits", 4,
    )  # fmt: skip
    assert (found["criterion"], found["bits"]) == (criterion, 4)
    assert [layer["name"] for layer in found["layers"]] == INNER
    for layer in found["layers"]:
        by_score = sorted(range(4), key=lambda c: -layer["scores"][c])
        assert layer["order"] == by_score


def test_train_and_resume(capsys, files, tmp_path):
    recipe = tmp_path / "small.toml"
    recipe.write_text("scale = 2\nfeatures = 4\nblocks = 1\nsteps = 3\nbatch = 1\npatch = 8\n")
    out = tmp_path / "out"
    arguments = [
        "train", recipe, "--data", files / "HR", "--out", out, "--json",
        "--validate", "two", files / "HR", files / "LR",
    ]  # fmt: skip
    status, said, err = run(capsys, *arguments)
    assert status == 0
    assert err.startswith("step 3/3")
    found = json.loads(said)
    assert found["weights"] == str(out / "small.safetensors")
    evaluated = report(
        capsys, "evaluate", "--hr", files / "HR", "--lr", files / "LR", "--scale", 2,
        "--model", found["weights"],
    )  # fmt: skip
    assert found["psnr_y"]["two"] == pytest.approx(evaluated["psnr_y"], abs=0.01)
    before = Path(found["weights"]).read_bytes()
    status, said, err = run(capsys, *arguments, "--resume")
    assert status == 0
    assert Path(found["weights"]).read_bytes() == before
    recipe.write_text(recipe.read_text() + "seed = 5\n")
    assert "belongs to other settings" in refused(capsys, *arguments, "--resume")


def test_codecs(capsys, files):
    arguments = ("--model", files / "net.safetensors", "--sample", files / "cat.png", "--bits", 3)
    found = report(capsys, "codecs", *arguments, "--extra-bits", 2, "--ratio", 0.5)
    assert (found["bits"], found["extra_bits"], found["important"]) == (3, 2, 0.5)
    assert found["input"] == [1, 3, 15, 10] and found["missing"] == {}
    for kind, bits, channels in (("shifting_errors", 2, 2), ("base_codes", 3, 4)):
        sites, total = found[kind]["sites"], found[kind]["all"]
        assert [site["site"] for site in sites] == INNER
        assert {(site["bits"], site["symbols"]) for site in sites} == {(bits, channels * 150)}
        for name, codec in total["codecs"].items():
            assert codec["bytes"] == sum(site["codecs"][name]["bytes"] for site in sites)
        raw = total["codecs"]["raw"]
        assert raw["bytes"] == len(INNER) * -(-channels * 150 * bits // 8)
        assert raw["encode_speed_relative_to_packing"] == 1
    stages = [layer["stages"] for layer in found["latency"]["layers"]]
    whole = found["latency"]["all"]
    assert whole["layer"]["macs"] == 9 * 4 * 150 * (3 * 4 + 16)
    for name, stage in whole["stages"].items():
        assert stage["operations"] == sum(layer[name]["operations"] for layer in stages)
    status, out, _ = run(capsys, "codecs", *arguments)
    assert status == 0
    assert "Huffman with zero runs" in out and "Stages of DQA" in out and "this machine" in out


def test_codecs_without_extra_bits(capsys, files):
    arguments = ("--model", files / "net.safetensors", "--sample", files / "cat.png")
    found = report(capsys, "codecs", *arguments, "--extra-bits", 0)
    assert found["shifting_errors"] is None and found["base_codes"] is not None


def test_codecs_of_a_picture_that_is_too_large(capsys, files, tmp_path):
    Image.new("RGB", (800, 800)).save(tmp_path / "large.png")
    said = refused(
        capsys, "codecs", "--model", files / "net.safetensors", "--sample", tmp_path / "large.png"
    )
    assert "this one has 160,000" in said


# Mistakes


class Malicious:
    """Unpickling it makes a folder called `owned`, which must never appear."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{f}/text.png"], "text.png is no PNG, JPEG, WebP, BMP or TIFF picture"),
        (["{f}/truncated.jpg"], "truncated.jpg is damaged or incomplete"),
        (["{f}/huge.png"], "above the limit of 24,500,000"),
        (["{f}/none.png"], "There is no picture none.png"),
        (["{f}/empty"], "is a folder"),
        (["{f}/cat.png", "--bits", "0"], "bits has to be a whole number from 2 to 8, not 0"),
        (["{f}/cat.png", "--bits", "17"], "not 17"),
        (["{f}/cat.png", "--bits", "abc"], "invalid int value: 'abc'"),
        (["{f}/cat.png", "--extra-bits", "5"], "extra_bits has to be a whole number"),
        (["{f}/cat.png", "--important", "1.5"], "fraction of the channels from 0 to 1"),
        (["{f}/cat.png", "--important", "nan"], "fraction of the channels from 0 to 1"),
        (["{f}/cat.png", "--model", "builtin:nothing"], "There is no bundled network"),
        (["{f}/cat.png", "--model", "nothing"], "does not name a network"),
        (["{f}/cat.png", "--model", "{f}/none.pth"], "There is no file"),
        (["{f}/cat.png", "--model", "hub:a/../b"], "does not name a model on the Hub"),
        (["{f}/cat.png", "--model", "{f}/cut.safetensors"], "lacks head.0.bias"),
        (["{f}/cat.png", "--method", "best"], "invalid choice: 'best'"),
        (["{f}/cat.png", "--criterion", "taste"], "invalid choice: 'taste'"),
        (["{f}/cat.png", "--depth", "half"], "has one depth only"),
        (["{f}/cat.png", "--speed", "9"], "nrecognized arguments: --speed 9"),
    ],
    ids=str,
)
def test_mistakes_get_one_line_and_leave_nothing(capsys, files, tmp_path, arguments, sentence):
    given = [a.format(f=files) for a in arguments]
    out = tmp_path / "out.png"
    model = [] if "--model" in given else ["--model", files / "net.safetensors"]
    assert sentence in refused(capsys, "upscale", given[0], out, *given[1:], *model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evalute"], "There is no verb 'evalute'; did you mean 'evaluate'?"),
        (["--speed"], "nrecognized arguments: --speed"),
        (["models", "--task", "hearing"], "invalid choice: 'hearing'"),
        (["upscale"], "required: IN, OUT, --model"),
        (["upscale", "a.png", "b.png"], "required: --model"),
        (["evaluate", "--sample", "astronaut", "--scale", "3"], "upscales by 2; call it with"),
        (["evaluate", "--sample", "astronaut", "--scale", "0"], "A scale of 0 is impossible"),
        (["evaluate", "--sample", "astronaut", "--scale", "-2"], "A scale of -2 is impossible"),
        (["evaluate", "--sample", "nobody", "--scale", "2"], "There is no picture nobody"),
        (["evaluate", "--sample", "{f}/pixel.png", "--scale", "2"], "too small to be reduced"),
        (["evaluate", "--scale", "2"], "Say what to measure on"),
        (["evaluate", "--scale", "2", "--hr", "{f}/HR"], "Say what to measure on"),
        (["evaluate", "--scale", "2", "--hr", "{f}/HR", "--lr", "{f}/x"], "is not a folder"),
        (["evaluate", "--scale", "2", "--hr", "{f}/HR", "--lr", "{f}/empty"], "No picture of"),
        (["evaluate", "--scale", "2", "--hr", "{f}/HR", "--lr", "{f}/LR4"], "does not belong to"),
        (
            ["evaluate", "--scale", "2", "--sample", "cat", "--hr", "{f}/HR"],
            "give one or the other",
        ),
        (["importance", "--images", "{f}/empty"], "holds no PNG, JPEG, WebP, BMP or TIFF picture"),
        (["importance", "--images", "{f}/none"], "is not a folder"),
        (["importance", "--images", "{f}/HR", "--bits", "1"], "bits has to be a whole number"),
        (["train", "{f}/none.toml", "--data", "{f}/HR", "--out", "{o}"], "cannot be read"),
        (["train", "{f}/text.png", "--data", "{f}/HR", "--out", "{o}"], "is not valid TOML"),
    ],
    ids=str,
)
def test_mistakes_of_every_verb(capsys, files, tmp_path, arguments, sentence):
    given = [a.format(f=files, o=tmp_path / "out") for a in arguments]
    if given[0] in ("evaluate", "importance"):
        given += ["--model", str(files / "net.safetensors")]
    assert sentence in refused(capsys, *given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_malicious_checkpoint(capsys, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"head.0.weight": Malicious()}, "zipped.pth")
    Path("plain.pth").write_bytes(pickle.dumps(Malicious()))
    for name in ("zipped.pth", "plain.pth"):
        err = refused(capsys, "upscale", files / "cat.png", "out.png", "--model", name)
        assert name in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.pth", "zipped.pth"]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("none/out.png", "There is no folder"),
        ("out.gif", "does not end in .png"),
        ("out.jpg", "JPEG loses detail; choose its quality"),
        (".", ".png"),
    ],
)
def test_places_that_nothing_can_be_written_to(
    capsys, files, tmp_path, output, sentence, monkeypatch
):
    monkeypatch.setattr(upscale, "measure", lambda *given, **more: pytest.fail("done before"))
    model = files / "net.safetensors"
    err = refused(capsys, "upscale", files / "cat.png", tmp_path / output, "--model", model)
    assert sentence in err
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_was_there_survives_a_mistake(capsys, files, tmp_path):
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    model = files / "net.safetensors"
    refused(capsys, "upscale", files / "truncated.jpg", out, "--model", model)
    assert out.read_bytes() == b"precious"


def test_a_repository_that_does_not_exist(capsys, files, tmp_path, monkeypatch):
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        out = tmp_path / "out.png"
        err = refused(capsys, "upscale", files / "cat.png", out, "--model", "hub:nobody/nothing")
        assert "There is no public model nobody/nothing on the Hub" in err
        assert server.requests
    assert not out.exists()


def test_a_network_from_the_hub(capsys, files, tmp_path, monkeypatch):
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        server.add("me/net", {"model.safetensors": (files / "net.safetensors").read_bytes()})
        out = tmp_path / "out.png"
        report(capsys, "upscale", files / "cat.png", out, "--model", "hub:me/net")
    assert Image.open(out).size == (40, 60)


# As a program of its own


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quantlib", *(str(a) for a in arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_process_that_succeeds(files, tmp_path):
    out = tmp_path / "out.png"
    done = program(
        "upscale", files / "cat.png", out, "--model", files / "net.safetensors", "--json"
    )
    assert (done.returncode, without_notes(done.stderr)) == (0, "")
    assert json.loads(done.stdout)["output"] == str(out)
    assert Image.open(out).size == (40, 60)


def test_a_process_that_fails(files, tmp_path):
    """A PNG that claims 12,000 x 12,000 pixels in its header and has none."""
    head = struct.pack(">2I5B", 12_000, 12_000, 8, 2, 0, 0, 0)
    bomb = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    bomb.seek(0, io.SEEK_END)
    for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")):
        bomb.write(struct.pack(">I", len(data)) + kind + data)
        bomb.write(struct.pack(">I", zlib.crc32(kind + data)))
    (tmp_path / "bomb.png").write_bytes(bomb.getvalue())
    out = tmp_path / "out.png"
    model = files / "net.safetensors"
    done = program("upscale", tmp_path / "bomb.png", out, "--model", model, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "above the limit" in done.stderr
    assert not out.exists()


def test_a_process_that_refuses_a_pickle(files, tmp_path):
    """PyTorch's own warnings about its age must not add lines."""
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Malicious(), protocol=4))
    out = tmp_path / "out.png"
    done = program("upscale", files / "cat.png", out, "--model", tmp_path / "plain.pth")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("quantlib: plain.pth")
    assert done.stderr.count("\n") == 1
    assert not (ROOT / "owned").exists()
    assert not out.exists()


# What the bundled networks have to reach


def set5(capsys, data: Path, scale: int, *choices: object) -> dict:
    return report(
        capsys, "evaluate", "--model", f"builtin:edsr-x{scale}", "--scale", scale,
        "--hr", data / "set5" / "HR", "--lr", data / "set5" / "LR_bicubic" / f"X{scale}", *choices,
    )  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize(("scale", "wanted"), [(2, 37.40), (4, 31.20)])
def test_fp32_on_set5(capsys, shared_data, scale, wanted):
    assert set5(capsys, shared_data, scale)["psnr_y"] >= wanted


@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 4])
def test_dqa_against_direct_quantization_on_set5(capsys, shared_data, scale):
    dqa = set5(
        capsys, shared_data, scale, "--method", "dqa", "--bits", 3, "--extra-bits", 3,
        "--important", 0.4,
    )  # fmt: skip
    direct = set5(capsys, shared_data, scale, "--method", "direct", "--bits", 3)
    assert dqa["psnr_y"] >= direct["psnr_y"] + 0.7
    for found in (dqa, direct):
        assert 0 < found["bytes"]["total"] < found["bytes"]["fp32"]
    assert dqa["bytes"]["codes"] == direct["bytes"]["codes"]
    assert dqa["bytes"]["refinement"] > 0 == direct["bytes"]["refinement"]
