"""A network that comes as ONNX, on the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantlib.imaging.samples import load_sample
from quantlib.models import load
from quantlib.qat.fused import uncompiled
from quantlib.runtime.onnx_export import export_onnx
from tests.cli.test_cli import refused, report
from tests.models.graphs.building import enlarging
from tests.models.graphs.small_networks import onnx_file, small


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.onnx").write_bytes(onnx_file(small("BSRN")))
    (folder / "plain.onnx").write_bytes(enlarging().SerializeToString())
    (folder / "photographs").mkdir()
    cat = load_sample("cat", 96).rgb
    Image.fromarray(cat).save(folder / "photographs" / "cat.png")
    Image.fromarray(np.ascontiguousarray(cat[:40, :32])).save(folder / "cat.png")
    return folder


def test_enlarged_and_measured(capsys, files, tmp_path):
    model = "--model", files / "mine.onnx"
    found = report(capsys, "upscale", files / "cat.png", tmp_path / "out.png", *model)
    assert (found["scale"], found["method"]) == (2, "fp32")
    assert Image.open(tmp_path / "out.png").size == (64, 80)
    given = "evaluate", *model, "--sample", "cat", "--scale", 2, "--method", "dqa", "--bits", 4
    assert report(capsys, *given)["bits_per_activation"] < 6


def test_adapted_and_opened_again(capsys, files, tmp_path):
    adapted = tmp_path / "adapted.safetensors"
    given = "adapt", "--model", files / "mine.onnx", "--images", files / "photographs", adapted
    with uncompiled():
        found = report(capsys, *given, "--steps", 1, "--crop", 16)
    assert found["layers"]["quantized"] == 9
    given = "upscale", files / "cat.png", tmp_path / "out.png", "--model", adapted
    assert report(capsys, *given)["method"] == "rlq"


def test_exported_again_as_integers(capsys, files, tmp_path):
    out = tmp_path / "int8.onnx"
    given = "export", "--model", files / "plain.onnx", "--to", "onnx", out, "--method", "direct"
    report(capsys, *given, "--bits", 8)
    given = "upscale", files / "cat.png", tmp_path / "out.png", "--model", out
    assert "was exported by Bitlens; run it with --runtime onnx" in refused(capsys, *given)
    assert report(capsys, *given, "--runtime", "onnx")["bits"] == 8


def test_what_cannot_be_read_is_said_in_one_line(capsys, files, tmp_path):
    given = "upscale", files / "cat.png", tmp_path / "out.png", "--model"
    assert "run it with --runtime torch" in refused(
        capsys, *given, files / "mine.onnx", "--runtime", "onnx"
    )
    (tmp_path / "cut.onnx").write_bytes((files / "mine.onnx").read_bytes()[:-100])
    assert "cut.onnx is not a complete ONNX file" in refused(capsys, *given, tmp_path / "cut.onnx")
    assert "There is no file" in refused(capsys, *given, tmp_path / "none.onnx")
    assert "export the network as ONNX" in refused(capsys, *given, tmp_path / "net.pt2")


def test_what_bitlens_exports_in_full_precision_comes_back(tmp_path):
    network = load("builtin:edsr-x2")
    (tmp_path / "edsr.onnx").write_bytes(export_onnx(network, "fp32"))
    again = load(str(tmp_path / "edsr.onnx"))
    assert (again.architecture, again.scale) == ("ONNX", 2)
    assert again.parameter_count == network.parameter_count
