"""The verbs `classify` and `segment`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.datasets.annotated import read_camvid
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.imaging.reading import png_bytes
from quantlib.models import load_classifier
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.unet import UNet
from quantlib.models.segmenter import load_segmenter
from quantlib.ptq import Settings
from quantlib.tasks.classification import classify
from quantlib.tasks.segmentation import segment
from tests.cli.test_cli import PARTS, refused, report, run
from tests.hub_server import use_hub

DIGITS = ("classify", "--model", "builtin:resnet-digits", "--data", "digits")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """CIFAR-10 and CamVid in small, networks for them, and what can be wrong with them."""
    folder = tmp_path_factory.mktemp("recognition")
    random = np.random.default_rng(0)
    torch.manual_seed(0)
    save_file(CifarResNet(blocks=5).state_dict(), folder / "resnet32.safetensors")
    save_file(CifarResNet(1, 4, classes=7).state_dict(), folder / "seven.safetensors")
    save_file(UNet(11, 2).state_dict(), folder / "unet.safetensors")
    save_file(UNet(3, 2).state_dict(), folder / "three.safetensors")
    for name, labels in {"cifar": 10, "beyond": 99}.items():
        (folder / name).mkdir()
        for split, count in (("train", 8), ("test", 5)):
            pictures = [
                {"bytes": png_bytes(random.integers(0, 256, (32, 32, 3), np.uint8))}
                for _ in range(count)
            ]
            numbers = random.integers(labels - 3, labels, count)
            table = pa.table({"img": pictures, "label": numbers})
            pq.write_table(table, folder / name / f"{split}-00000.parquet")
    (folder / "none").mkdir()
    for split in ("train", "test"):
        (folder / "none" / f"{split}-00000.parquet").write_text("no table")
    for name, most in {"camvid": 12, "other": 200}.items():
        for split in ("train", "test"):
            (folder / name / split).mkdir(parents=True)
            (folder / name / f"{split}annot").mkdir()
            for stem in ("a", "b"):
                rgb = random.integers(0, 256, (24, 32, 3), np.uint8)
                numbers = random.integers(most - 12, most, (24, 32)).astype(np.uint8)
                Image.fromarray(rgb).save(folder / name / split / f"{stem}.png")
                Image.fromarray(numbers).save(folder / name / f"{split}annot" / f"{stem}.png")
    (folder / "empty").mkdir()
    return folder


def test_digits_are_what_the_library_measures(capsys):
    found = report(capsys, *DIGITS, "--method", "dqa", "--bits", 3, "--limit", 300)
    wanted = classify(
        load_classifier("builtin:resnet-digits"),
        Settings("dqa", 3),
        read_digits()[:300],
        read_digits("train")[:250],
    )
    assert found["accuracy"] == pytest.approx(wanted.accuracy)
    assert found["per_class"] == pytest.approx(wanted.per_class)
    assert found["bytes"] == wanted.ledger.as_dict()
    assert (found["pictures"], found["calibration"], found["batch"]) == (300, 250, 1000)
    assert (found["method"], found["criterion"], found["published"]) == ("dqa", "fisher", [])
    status, out, _ = run(capsys, *DIGITS, "--method", "dqa", "--bits", 3, "--limit", 300)
    assert status == 0
    assert f"Top-1 accuracy: {wanted.accuracy:.2f} % on 300 pictures, measured here" in out
    assert "Published" not in out


def test_full_precision_is_the_default_and_needs_no_calibration(capsys):
    found = report(capsys, *DIGITS, "--calibration-count", 0)
    assert (found["method"], found["bits"], found["calibration"]) == ("fp32", 32, None)
    assert found["accuracy"] > 95
    assert found["bytes"]["total"] == found["bytes"]["fp32"]


def test_a_budget_is_kept(capsys):
    choices = ("--method", "entropy", "--bits-per-activation", 1.5, "--limit", 50)
    found = report(capsys, *DIGITS, *choices)
    assert 1.3 < found["bits_per_activation"] <= 1.5
    assert found["bits"] is None


@pytest.mark.parametrize("bits", [3, 4])
def test_what_was_published_about_resnet32_stands_beside_3_bits(capsys, files, bits):
    arguments = (
        "classify", "--model", files / "resnet32.safetensors", "--data", files / "cifar",
        "--method", "dqa", "--bits", bits, "--criterion", "random",
    )  # fmt: skip
    found = report(capsys, *arguments)
    assert found["bytes"].keys() == PARTS
    _, out, _ = run(capsys, *arguments)
    if bits == 3:
        paper = found["published"][0]
        assert (paper["accuracy"]["Direct"], paper["accuracy"]["eDQA"]) == (52.85, 82.13)
        assert paper["source"] and paper["how"]
        assert "Published, ResNet-32, CIFAR-10 at 3 bits: FP32 92.49, Direct 52.85" in out
    else:
        assert found["published"] == [] and "Published" not in out


def test_calibration_is_on_training_pictures(capsys, files):
    model = files / "resnet32.safetensors"
    arguments = ("--method", "noisyquant", "--bits", 3, "--calibration-count", 6, "--batch", 2)
    found = report(
        capsys, "classify", "--model", model, "--data", files / "cifar", "--limit", 4, *arguments
    )
    wanted = classify(
        load_classifier(str(model)),
        Settings("noisyquant", 3),
        read_cifar10(files / "cifar")[:4],
        read_cifar10(files / "cifar", "train")[:6],
        batch=2,
    )
    assert (found["pictures"], found["calibration"]) == (4, 6)
    assert found["bytes"] == wanted.ledger.as_dict()
    assert found["accuracy"] == wanted.accuracy


def test_segment(capsys, files):
    model, data = files / "unet.safetensors", files / "camvid"
    arguments = ("segment", "--model", model, "--data", data, "--method", "dqa", "--bits", 3)
    found = report(capsys, *arguments)
    wanted = segment(
        load_segmenter(str(model)),
        Settings("dqa", 3),
        read_camvid(data),
        read_camvid(data, "train"),
    )
    assert found["mean_iou"] == pytest.approx(wanted.mean_iou)
    assert found["per_class"] == pytest.approx(wanted.confusion.per_class)
    assert found["bytes"] == wanted.ledger.as_dict()
    assert (found["pictures"], found["calibration"]) == (2, 2)
    _, out, _ = run(capsys, *arguments)
    assert f"Mean IoU over the classes: {wanted.mean_iou:.2f} % on 2 pictures" in out


NET, CIFAR = "{f}/resnet32.safetensors", "{f}/cifar"
UNET, CAMVID = "{f}/unet.safetensors", "{f}/camvid"
DQA = ("--method", "dqa")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["classify", "--model", "{f}/seven.safetensors", "--data", CIFAR], "knows 7 classes"),
        (
            ["classify", "--model", "{f}/unet.safetensors", "--data", CIFAR],
            "is no classification network",
        ),
        (["classify", "--model", NET, "--data", "digits"], "32×32 pixels, not 8×8"),
        (["classify", "--model", NET, "--data", "{f}/nowhere"], "is not a folder"),
        (["classify", "--model", NET, "--data", "{f}/empty"], "holds no test pictures"),
        (["classify", "--model", NET, "--data", "{f}/none"], "is no table with pictures"),
        (["classify", "--model", NET, "--data", "{f}/beyond"], "classes are numbered from 0"),
        (
            ["classify", "--model", NET, "--data", CIFAR, *DQA, "--calibration-count", "0"],
            "at least one calibration picture, not 0",
        ),
        (["classify", "--model", NET, "--data", CIFAR, "--limit", "0"], "at least 1"),
        (["classify", "--model", NET, "--data", CIFAR, "--batch", "0"], "at least one picture"),
        (["classify", "--model", NET, "--data", CIFAR, "--method", "rlq"], "invalid choice"),
        (["classify", "--model", NET, "--data", CIFAR, *DQA, "--bits", "1"], "from 2 to 8, not 1"),
        ([*DIGITS, "--method", "entropy", "--bits-per-activation", "0"], "cannot be met"),
        ([*DIGITS, "--method", "entropy", "--bits-per-activation", "0.001"], "are too few"),
        (["segment", "--model", "{f}/three.safetensors", "--data", CAMVID], "knows 3 classes"),
        (["segment", "--model", NET, "--data", CAMVID], "is no segmentation network"),
        (["segment", "--model", UNET, "--data", "{f}/nowhere"], "is not a folder"),
        (["segment", "--model", UNET, "--data", "{f}/empty"], "choose CamVid's folder"),
        (["segment", "--model", UNET, "--data", "{f}/other"], "11 is void"),
        (
            ["segment", "--model", UNET, "--data", CAMVID, *DQA, "--calibration-count", "-1"],
            "at least one calibration picture, not -1",
        ),
    ],
    ids=str,
)
def test_mistakes_get_one_line(capsys, files, arguments, sentence):
    assert sentence in refused(capsys, *(a.format(f=files) for a in arguments))


def test_cifar10_without_the_hub_is_one_sentence(capsys, files, tmp_path, monkeypatch):
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path)
    model = files / "resnet32.safetensors"
    err = refused(capsys, "classify", "--model", model, "--data", "cifar10")
    assert "The Hugging Face Hub cannot be reached" in err
