"""`--runtime`: the same picture and the same bytes from integers and from ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.imaging.samples import load_sample
from quantlib.models import load, load_classifier
from quantlib.models.architectures.unet import UNet
from quantlib.runtime.onnx_export import export_onnx
from quantlib.tasks import tiles
from tests.cli.small_networks import write_classifier, write_learned, write_plain
from tests.cli.test_cli import refused, report, run

HAVE = "choose direct with 8 bits, rlq with 2 to 8 bits, or --runtime torch"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    write_plain(folder / "net.safetensors")
    write_learned(folder / "learned.safetensors")
    write_classifier(folder / "resnet8.safetensors")
    crop = load_sample("cat", 96).rgb
    for name, picture in {
        "cat": crop[:40, :32],
        "pixel": crop[:1, :1],
        "large": crop[:72, :80],
    }.items():
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{name}.png")
    for side, rgb in {"HR": crop[:64, :64], "LR": crop[:64:2, :64:2]}.items():
        (folder / side).mkdir()
        Image.fromarray(np.ascontiguousarray(rgb)).save(folder / side / "a.png")
    (folder / "images").mkdir()
    Image.fromarray(crop).save(folder / "images" / "cat.png")
    return folder


@pytest.fixture(scope="module")
def exported(files) -> Path:
    file = files / "learned.onnx"
    file.write_bytes(export_onnx(load(str(files / "learned.safetensors"))))
    return file


def psnr(one: Path, other: Path) -> float:
    a, b = (np.asarray(Image.open(file), float) for file in (one, other))
    assert a.shape == b.shape
    return float(10 * np.log10(255**2 / max(((a - b) ** 2).mean(), 1e-9)))


@pytest.mark.parametrize(
    "model, given, runtime, least",
    [
        ("learned", (), "integer", 60),
        ("learned", ("--ends", "int8"), "integer", 35),
        ("learned", (), "onnx", 35),
        ("net", ("--method", "direct", "--bits", 8), "integer", 35),
        ("net", ("--method", "direct", "--bits", 8), "onnx", 35),
        ("net", (), "onnx", 60),
    ],
)
@pytest.mark.parametrize("picture", ["cat", "pixel"])
def test_upscale(capsys, files, tmp_path, model, given, runtime, least, picture):
    given = ("--model", files / f"{model}.safetensors", *given)
    given = ("upscale", files / f"{picture}.png", tmp_path / "simulated.png", *given)
    simulated = report(capsys, *given)
    assert (simulated["runtime"], simulated["ends"]) == ("torch", None)
    given = (*given[:2], tmp_path / "made.png", *given[3:])
    found = report(capsys, *given, "--runtime", runtime)
    assert found["runtime"] == runtime
    assert found["bytes"]["codes"] == simulated["bytes"]["codes"]
    assert found["bytes"]["scales"] <= simulated["bytes"]["scales"]
    if model == "learned":
        assert found["bytes"] == simulated["bytes"]
        ends = "int8" if "int8" in given else "fp32"
        assert found["ends"] == (ends if runtime == "integer" else None)
    assert psnr(tmp_path / "made.png", tmp_path / "simulated.png") > least


@pytest.mark.parametrize("runtime", ["integer", "onnx"])
@pytest.mark.parametrize("given", [("learned",), ("net", "--method", "direct", "--bits", 8)])
def test_large_pictures_are_tiled(capsys, files, tmp_path, monkeypatch, runtime, given):
    """In tiles as in one piece; what is counted differs by the halos alone."""
    model, *method = given
    command = ("--model", files / f"{model}.safetensors", *method, "--runtime", runtime)
    whole = report(capsys, "upscale", files / "large.png", tmp_path / "whole.png", *command)
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE", 48)
    tiled = report(capsys, "upscale", files / "large.png", tmp_path / "tiled.png", *command)
    assert psnr(tmp_path / "tiled.png", tmp_path / "whole.png") > 60
    assert tiled["bytes"]["codes"] > whole["bytes"]["codes"]


@pytest.mark.parametrize("runtime", ["integer", "onnx"])
def test_evaluate(capsys, files, runtime):
    given = ("evaluate", "--hr", files / "HR", "--lr", files / "LR", "--scale", 2)
    given = (*given, "--model", files / "learned.safetensors")
    simulated, found = report(capsys, *given), report(capsys, *given, "--runtime", runtime)
    assert found["runtime"] == runtime
    assert found["psnr_y"] == pytest.approx(simulated["psnr_y"], abs=0.3)
    for same in ("bytes", "weight_bytes", "method", "bits"):
        assert found[same] == simulated[same]


def test_a_file_runs_without_the_network_it_came_from(capsys, files, exported, tmp_path):
    given = ("evaluate", "--hr", files / "HR", "--lr", files / "LR", "--scale", 2)
    given = (*given, "--runtime", "onnx", "--model")
    found, known = (
        report(capsys, *given, model) for model in (exported, files / "learned.safetensors")
    )
    assert (found["method"], found["bits"], found["depth"]) == ("rlq", 4, None)
    assert found["psnr_y"] == known["psnr_y"]
    assert found["bytes"] is None and found["bits_per_activation"] is None
    steps_and_shifts = known["weight_bytes"]["fp32"] - found["weight_bytes"]["fp32"]
    assert steps_and_shifts == 4 * (4 + 4 * 8), "of inputs; those of weights are packed"
    assert 0 < found["weight_bytes"]["total"] < found["weight_bytes"]["fp32"]
    status, said, _ = run(capsys, *given, exported)
    assert status == 0 and "does not say how many bytes" in said
    for picture in ("cat", "pixel"):
        command = ("upscale", files / f"{picture}.png", tmp_path / "out.png", "--model", exported)
        report(capsys, *command, "--runtime", "onnx")
        low, high = (Image.open(f).size for f in (command[1], command[2]))
        assert high == (2 * low[0], 2 * low[1])


def test_a_file_in_tiles(capsys, files, exported, tmp_path, monkeypatch):
    command = ("--model", exported, "--runtime", "onnx")
    report(capsys, "upscale", files / "large.png", tmp_path / "whole.png", *command)
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE", 48)
    report(capsys, "upscale", files / "large.png", tmp_path / "tiled.png", *command)
    assert psnr(tmp_path / "tiled.png", tmp_path / "whole.png") > 60


def test_onnx_files_that_do_not_run(capsys, files, exported, tmp_path):
    foreign = onnx.load(exported)
    del foreign.metadata_props[:]
    damaged = onnx.load(exported)
    next(one for one in damaged.metadata_props if one.key == "card").value = "{}"
    other = onnx.load(exported)
    next(one for one in other.metadata_props if one.key == "scale").value = "900"
    half = onnx.load(exported)
    card = next(one for one in half.metadata_props if one.key == "card")
    card.value = card.value.replace('"settings"', '"choices"')
    contents = {
        "foreign": (foreign.SerializeToString(), "was not exported by Bitlens"),
        "cut": (exported.read_bytes()[:2000], "not a complete ONNX file"),
        "card": (damaged.SerializeToString(), "The card of card.onnx cannot be read"),
        "other": (other.SerializeToString(), "other.onnx is not that of its network"),
        "half": (half.SerializeToString(), "half.onnx is not that of its network"),
        "classifier": (
            export_onnx(load_classifier(str(files / "resnet8.safetensors")), "fp32"),
            "classifier.onnx enlarges no pictures",
        ),
    }
    given = ("upscale", files / "cat.png", tmp_path / "out.png", "--runtime", "onnx", "--model")
    for name, (content, said) in contents.items():
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(content)
        assert said in refused(capsys, *given, file)
    assert "There is no file" in refused(capsys, *given, tmp_path / "none.onnx")
    assert not (tmp_path / "out.png").exists()


def test_options_that_contradict_a_file(capsys, files, exported, tmp_path):
    given = ("upscale", files / "cat.png", tmp_path / "out.png", "--model", exported)
    assert "run it with --runtime onnx" in refused(capsys, *given)
    for wrong in (("--method", "dqa"), ("--bits", 3), ("--depth", "half")):
        said = refused(capsys, *given, "--runtime", "onnx", *wrong)
        assert "was exported as 4-bit RLQ; leave --method, --bits and --depth out" in said


@pytest.mark.parametrize(
    "given, said",
    [
        (("--method", "dqa", "--runtime", "integer"), f"4-bit DQA has no integers; {HAVE}"),
        (("--method", "direct", "--runtime", "onnx"), f"4-bit direct has no integers; {HAVE}"),
        (("--runtime", "integer"), f"FP32 has no integers; {HAVE}"),
        (
            ("--method", "direct", "--bits", 8, "--unsigned", "--runtime", "integer"),
            "leave --unsigned out",
        ),
        (("--runtime", "tpu"), "invalid choice: 'tpu'"),
    ],
)
def test_methods_without_integers_say_which_have_some(capsys, files, tmp_path, given, said):
    command = ("upscale", files / "cat.png", tmp_path / "out.png")
    assert said in refused(capsys, *command, "--model", files / "net.safetensors", *given)
    if "--method" in given:
        digits = ("classify", "--model", "builtin:resnet-digits", "--data", "digits")
        assert said in refused(capsys, *digits, *given)


@pytest.mark.parametrize("runtime", ["integer", "onnx"])
def test_classify(capsys, runtime):
    given = ("classify", "--model", "builtin:resnet-digits", "--data", "digits", "--limit", 200)
    given = (*given, "--method", "direct", "--bits", 8)
    simulated = report(capsys, *given)
    found = report(capsys, *given, "--runtime", runtime, "--calibration-count", 60)
    assert (found["runtime"], found["ends"], found["calibration"]) == (runtime, None, 60)
    assert found["accuracy"] == pytest.approx(simulated["accuracy"], abs=1)
    assert found["bytes"]["codes"] == simulated["bytes"]["codes"]
    said = refused(capsys, *given, "--runtime", runtime, "--calibration-count", 0)
    assert "needs at least one calibration picture" in said


def test_segment(capsys, tmp_path):
    torch.manual_seed(0)
    save_file(UNet(11, 2).state_dict(), tmp_path / "unet.safetensors")
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for folder in (split, f"{split}annot"):
            (tmp_path / folder).mkdir()
        rgb = random.integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(rgb).save(tmp_path / split / "a.png")
        numbers = random.integers(0, 12, (24, 32)).astype(np.uint8)
        Image.fromarray(numbers).save(tmp_path / f"{split}annot" / "a.png")
    given = ("segment", "--model", tmp_path / "unet.safetensors", "--data", tmp_path)
    given = (*given, "--method", "direct", "--bits", 8)
    simulated = report(capsys, *given)
    found = report(capsys, *given, "--runtime", "integer")
    assert (found["runtime"], found["calibration"]) == ("integer", 1)
    assert found["pixel_accuracy"] == pytest.approx(simulated["pixel_accuracy"], abs=3)
    assert found["bytes"]["codes"] == simulated["bytes"]["codes"]
    assert "has no form in ONNX" in refused(capsys, *given, "--runtime", "onnx")


@pytest.mark.parametrize("runtime", ["torch", "integer", "onnx"])
def test_adapt_measures_its_result_there(capsys, files, tmp_path, runtime):
    out = tmp_path / "adapted.safetensors"
    given = ("adapt", "--model", files / "net.safetensors", "--images", files / "images")
    found = report(capsys, *given, "--bits", 8, "--steps", 1, "--runtime", runtime, out)
    assert found["runtime"] == runtime and out.exists()
    assert found["psnr_y_against_fp32"] > 25
