"""The verb that exports: what it writes opens elsewhere and here, mistakes come first."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import Tensor

from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import load, load_classifier
from quantlib.qat.scheme import quantized_layers
from quantlib.runtime.onnx_running import INTEGER_CONVOLUTIONS, optimised_operators
from tests.cli.small_networks import (
    write_classifier,
    write_learned,
    write_learned_pan,
    write_plain,
)
from tests.cli.test_cli import refused, report, run
from tests.runtime.test_lowering import decibels


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_plain(folder / "net.safetensors")
    write_learned(folder / "learned.safetensors")
    write_classifier(folder / "resnet8.safetensors")
    write_learned_pan(folder / "pan-x3.safetensors")
    (folder / "images").mkdir()
    for name in ("cat", "coffee"):
        Image.fromarray(load_sample(name, 32).rgb).save(folder / "images" / f"{name}.png")
    return folder


def picture(side: int = 32, other: int = 24) -> Tensor:
    return to_tensor(np.ascontiguousarray(load_sample("cat", side).rgb[:, :other]))


def in_onnx_runtime(file: Path, x: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def integer_convolutions(file: Path) -> int:
    operators = optimised_operators(file.read_bytes(), file.parent)
    return sum(operators.count(kind) for kind in INTEGER_CONVOLUTIONS)


def metadata(file: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(file).metadata_props}


@torch.inference_mode()
def expected(model: Path, x: Tensor) -> Tensor:
    return load(str(model))(x)


def test_full_precision_is_the_default(capsys, files, tmp_path):
    out, model = tmp_path / "net.onnx", files / "net.safetensors"
    found = report(capsys, "export", "--model", model, "--to", "onnx", out)
    assert (found["method"], found["bits"], found["scale"]) == ("fp32", 32, 2)
    assert found["layers"] == {"integer": 0, "of": 6}
    assert found["weights"] == {"FLOAT": 6}
    assert found["bytes"]["file"] == out.stat().st_size
    onnx.checker.check_model(str(out), full_check=True)
    made = in_onnx_runtime(out, picture())
    assert torch.allclose(made, expected(model, picture()), atol=1e-5)
    assert integer_convolutions(out) == 0


@pytest.mark.parametrize(
    "model, given, weights",
    [
        ("learned", (), {"INT4": 4, "INT8": 4}),
        ("net", ("--method", "direct", "--bits", 8), {"INT8": 6}),
    ],
)
def test_integers_in_onnx_runtime(capsys, files, tmp_path, model, given, weights):
    out, model = tmp_path / "net.onnx", files / f"{model}.safetensors"
    found = report(capsys, "export", "--model", model, "--to", "onnx", out, *given)
    layers = sum(weights.values())
    assert found["weights"] == weights
    assert found["layers"] == {"integer": layers, "of": layers}
    onnx.checker.check_model(str(out), full_check=True)
    assert integer_convolutions(out) == layers
    for sides in ((32, 24), (9, 17), (1, 1)):  # height and width are free
        made = in_onnx_runtime(out, picture(*sides))
        eight_bits = expected(model, picture(*sides)).clamp(0, 1).mul(255).round() / 255
        assert made.shape == eight_bits.shape
        assert decibels(made, eight_bits) > 30


def test_the_card_travels_with_the_file(capsys, files, tmp_path):
    out = tmp_path / "net.onnx"
    model = "builtin:quantsr-c-x2-w4a4"
    found = report(capsys, "export", "--model", model, "--to", "onnx", out, "--depth", "quarter")
    stated = metadata(out)
    assert (stated["scale"], stated["licence"]) == ("2", found["licence"]) == ("2", "Apache-2.0")
    card = json.loads(stated["card"])
    assert (card["name"], card["architecture"]) == (model, "EDSR")
    assert card["settings"] == {"method": "rlq", "bits": 4}
    assert (found["depth"], found["layers"]) == ("quarter", {"integer": 12, "of": 12})


def test_packed_codes_load_back(capsys, files, tmp_path):
    out, model = tmp_path / "again.safetensors", files / "learned.safetensors"
    found = report(capsys, "export", "--model", model, "--to", "safetensors", out)
    assert (found["method"], found["bits"]) == ("rlq", 4)
    assert found["layers"] == {"integer": 4, "of": 8}
    assert found["weights"] == {"4-bit": 4, "FP32": 4}
    made, known = load(str(out)), load(str(model))
    assert quantized_layers(made.network).keys() == quantized_layers(known.network).keys()
    with torch.inference_mode():
        assert torch.equal(made(picture()), known(picture()))


@pytest.mark.parametrize("name", ["quantsr-c-x2-w2a2", "quantsr-t-x2-w4a4"])
def test_bundled_networks_load_back_at_every_depth(capsys, tmp_path, name):
    out = tmp_path / "again.safetensors"
    assert run(capsys, "export", "--model", f"builtin:{name}", "--to", "safetensors", out)[0] == 0
    made, known = load(str(out)), load(f"builtin:{name}")
    assert made.depths == known.depths
    with torch.inference_mode():
        for one, other in ((made, known), (made.at_depth("quarter"), known.at_depth("quarter"))):
            assert torch.equal(one(picture()), other(picture()))


def test_classifiers(capsys, files, tmp_path):
    out, model = tmp_path / "net.onnx", files / "resnet8.safetensors"
    given = ("export", "--model", model, "--task", "classification", "--to", "onnx", out)
    found = report(capsys, *given)
    assert (found["scale"], found["method"]) == (None, "fp32")
    with torch.inference_mode():
        logits = load_classifier(str(model))(picture(32, 32))
    assert torch.allclose(in_onnx_runtime(out, picture(32, 32)), logits, atol=1e-4)
    given = (*given, "--method", "direct", "--bits", 8)
    assert "name some with --images" in refused(capsys, *given)
    found = report(capsys, *given, "--images", files / "images")
    assert found["layers"]["integer"] == found["layers"]["of"] == integer_convolutions(out) + 1


def test_in_words(capsys, files, tmp_path):
    out = tmp_path / "net.onnx"
    given = ("--model", files / "learned.safetensors", "--to", "onnx", out)
    _, said, _ = run(capsys, "export", *given)
    first, second = said.splitlines()
    assert first.startswith(f"{out} written: {out.stat().st_size:,} bytes, the weights in FP32 ")
    assert second == "8 of 8 layers are integers; weights 4 × INT8, 4 × INT4"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--to", "onnx", "out.safetensors"), "does not end in .onnx"),
        (("--to", "safetensors", "out.onnx"), "does not end in .safetensors"),
        (("--to", "onnx", "nowhere/out.onnx"), "There is no folder"),
        (("--to", "safetensors", "out.safetensors"), "FP32 has no codes of weights to pack"),
        (
            ("--to", "onnx", "out.onnx", "--method", "dqa", "--bits", "3"),
            "3-bit DQA has no integers; choose direct with 8 bits, rlq with 2 to 8 bits",
        ),
        (("--to", "onnx", "out.onnx", "--method", "rlq"), "No RLQ weights with 4 bits"),
        (("--to", "onnx", "out.onnx", "--images", "none"), "none is not a folder"),
        (("--to", "onnx", "out.onnx", "--model", "builtin:nn"), "no bundled network"),
        (("--to", "tflite", "out.tflite"), "invalid choice: 'tflite'"),
    ],
)
def test_mistakes_are_told(capsys, files, tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, "export", "--model", files / "net.safetensors", *given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ("--to", "onnx", "out.onnx", "--method", "direct", "--bits", "8"),
            "trained with few bits",
        ),
        (("--to", "safetensors", "out.safetensors", "--depth", "half"), "holds every depth"),
    ],
)
def test_networks_with_few_bits_stay_what_they_are(
    capsys, files, tmp_path, monkeypatch, given, said
):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, "export", "--model", files / "learned.safetensors", *given)
    assert not list(tmp_path.iterdir())


def test_what_has_no_form_in_onnx_is_named(capsys, tmp_path):
    out = tmp_path / "net.onnx"
    model = "builtin:quantsr-t-x2-w4a4"
    assert "windows" in refused(capsys, "export", "--model", model, "--to", "onnx", out)
    unet = ("--model", "builtin:unet-camvid", "--task", "segmentation")
    assert "has no form in ONNX" in refused(capsys, "export", *unet, "--to", "onnx", out)
    assert not out.exists()


def test_a_name_that_would_change_the_scale(capsys, files, tmp_path):
    given = ("--model", files / "pan-x3.safetensors", "--to", "safetensors")
    said = refused(capsys, "export", *given, tmp_path / "pan.safetensors")
    assert "put x3 into its name" in said
    assert run(capsys, "export", *given, tmp_path / "x3.safetensors")[0] == 0
    assert load(str(tmp_path / "x3.safetensors")).scale == 3
