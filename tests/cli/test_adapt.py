"""The verb that adapts: what it writes opens as what it measured, mistakes come first."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.cli import adapt as verb
from quantlib.cli import main
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_uint8
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.qat.scheme import quantized_layers
from quantlib.tasks.super_resolution import reductions


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("adapt")
    torch.manual_seed(0)
    save_file(EDSR(2, features=4, blocks=2).state_dict(), folder / "net.safetensors")
    save_file(PAN(3, 8, 4, 1).state_dict(), folder / "pan-x3.safetensors")
    (folder / "images").mkdir()
    for name, side in (("a", 96), ("b", 100)):
        Image.fromarray(load_sample("cat", side).rgb).save(folder / "images" / f"{name}.png")
    return folder


def adapt(files: Path, *more: str, model: str = "net.safetensors") -> int:
    given = ["--model", str(files / model), "--images", str(files / "images"), "--steps", "1"]
    return main(["adapt", *given, *more])


def test_what_is_written_is_what_was_measured(files, tmp_path, capsys):
    out = tmp_path / "small.safetensors"
    assert adapt(files, "--bits", "3", "--json", str(out)) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    network, adapted = load(str(files / "net.safetensors")), load(str(out))
    layers = quantized_layers(adapted.network)
    assert {layer.scheme.title for layer in layers.values()} == {"RLQ W3A3"}
    assert report["layers"]["quantized"] == len(layers) == 5
    assert report["layers"]["of"] == 8 == 5 + len(report["layers"]["left_alone"])
    assert (report["steps"], report["bits"], report["pictures"]) == (1, 3, 2)
    inputs = reductions([load_sample("cat", side).rgb for side in (96, 100)], 2, least=40)
    assert len(inputs) == 2
    with torch.inference_mode():
        likeness = [psnr_y(to_uint8(adapted(x)), to_uint8(network(x)), 2) for x in inputs]
    assert report["psnr_y_against_fp32"] == pytest.approx(np.mean(likeness), abs=0.05)


def test_the_same_layers_at_every_crop_in_words(files, tmp_path, capsys):
    told = []
    for crop in ("40", "44", "48"):
        assert adapt(files, "--crop", crop, str(tmp_path / "out.safetensors")) == 0
        told.append(capsys.readouterr().out.splitlines())
    alone, counted = ([lines[:3] for lines in told], [lines[3] for lines in told])
    assert alone[0] == alone[1] == alone[2]
    assert alone[0][0] == "left alone, the first layer: network.head.0"
    assert all(line.startswith("5 of 8 layers quantized, W4A4, 1 steps") for line in counted)
    assert told[0][4].endswith("dB against its own full-precision output")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("out.bin",), "does not end in .safetensors"),
        (("nowhere/out.safetensors",), "There is no folder"),
        (("--bits", "1", "out.safetensors"), "weight_bits has to be from 2 to 8"),
        (("--crop", "60", "out.safetensors"), "has 120 pixels a side for crops of 60"),
        (("--crop", "7", "out.safetensors"), "Crops have at least 8 pixels"),
        (("--steps", "-1", "out.safetensors"), "-1 steps cannot be made"),
    ],
)
def test_mistakes_are_told_before_the_work(files, tmp_path, capsys, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("quantlib.qat.adapting.adapt._start", None)
    assert adapt(files, *given) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_name_that_would_change_the_scale(files, tmp_path, capsys):
    given = str(tmp_path / "pan.safetensors")
    assert adapt(files, "--crop", "24", given, model="pan-x3.safetensors") == 2
    assert "put x3 into its name" in capsys.readouterr().err
    given = str(tmp_path / "small-x3.safetensors")
    assert adapt(files, "--crop", "24", given, model="pan-x3.safetensors") == 0
    assert load(given).scale == 3


def test_equal_outputs_are_no_number_in_json(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(verb, "_likeness", lambda *given: float("inf"))
    assert adapt(files, "--json", str(tmp_path / "out.safetensors")) == 0
    assert json.loads(capsys.readouterr().out)["psnr_y_against_fp32"] is None
