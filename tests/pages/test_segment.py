"""The page for segmenters: agreement without an annotation, IoU with one, and mistakes."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from pages.parts.recognition.networks import OWN_FILE
from pages.parts.shared.samples import TITLES
from quantlib.datasets.annotated import CAMVID_CLASSES
from quantlib.imaging.reading import png_bytes
from quantlib.imaging.samples import load_sample
from quantlib.models import catalogue
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.unet import UNet
from quantlib.ptq.methods import METHODS, names
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened

NAME = "builtin:unet-small"
KIND = "image/png"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights with one small U-Net and its card."""
    torch.manual_seed(0)
    network = UNet(11, features=2)
    card = {
        "architecture": "U-Net",
        "title": "Small U-Net",
        "task": "segmentation",
        "classes": list(CAMVID_CLASSES),
    }
    (tmp_path / "unet-small.json").write_text(json.dumps(card))
    (tmp_path / "unet-small.safetensors").write_bytes(save(network.state_dict()))
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    return tmp_path


def png_of(numbers: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(numbers).save(buffer, "PNG")
    return buffer.getvalue()


def with_street(side: int = 96, annotation: bytes | None = None) -> AppTest:
    app = opened("segment", scene=TITLES["upload"], segmentation_network=NAME)
    assert "No picture yet" in app.info[0].value
    street = png_bytes(load_sample("rocket", side).rgb)
    app.file_uploader(key="scene_file").upload("street.png", street, KIND).run()
    if annotation is not None:
        app.file_uploader(key="annotation").upload("numbers.png", annotation, KIND).run()
    return app


def test_without_a_bundled_network_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    app = opened("segment")
    assert fine(app)
    assert "No network for segmentation is bundled" in app.info[0].value
    content = save(UNet(3, 2).state_dict())
    app.selectbox(key="segmentation_network").set_value(OWN_FILE).run()
    app.file_uploader(key="segmentation_file").upload("net.safetensors", content, "x/y").run()
    assert fine(app)
    assert "agrees with FP32 on" in app.subheader[0].value
    assert set(app.dataframe[0].value["class"]) <= {"class 0", "class 1", "class 2"}


@pytest.mark.parametrize("method", names(learned=False))
def test_every_method(small, method):
    app = opened("segment", method=METHODS[method].title, scene="Cat", segmentation_network=NAME)
    assert fine(app)
    assert app.selectbox(key="method").value == method
    assert "bits per activation" in app.subheader[0].value or method == "fp32"


def test_agreement_is_not_called_accuracy(small, capsys):
    app = opened("segment", scene="Cat", segmentation_network=NAME)
    assert fine(app)
    said = " ".join(captions(app))
    assert "Agreement, not accuracy" in said and "no sample photograph shows one" in said
    exec(app.code[-1].value, {})
    agreement, bits = (float(figure) for figure in capsys.readouterr().out.split())
    assert f"agrees with FP32 on {agreement:.2f} % of the pixels" in app.subheader[0].value
    assert f"at {bits:.2f} bits" in app.subheader[0].value
    assert sum(app.dataframe[0].value["pixels by FP32"]) == 300 * 444


def test_an_uploaded_street_and_its_annotation(small):
    numbers = np.random.default_rng(0).integers(0, 12, (96, 96)).astype(np.uint8)
    app = with_street(annotation=png_of(numbers))
    assert fine(app)
    assert "mean IoU at" in app.subheader[0].value
    table = app.dataframe[0].value
    assert list(table["class"]) == list(CAMVID_CLASSES)
    assert sum(table["pixels"]) == (numbers < 11).sum()


def test_a_large_picture_is_reduced_with_its_annotation(small):
    app = with_street(side=420, annotation=png_of(np.full((420, 420), 3, np.uint8)))
    assert fine(app)
    assert any("reduced from 420×420" in c for c in captions(app))
    table = app.dataframe[0].value
    assert dict(zip(table["class"], table["pixels"], strict=True))["road"] == 415 * 415


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (png_of(np.full((96, 96), 200, np.uint8)), "A label is 200, but the 11 classes"),
        (png_of(np.zeros((5, 96), np.uint8)), "The annotation has 96×5 pixels"),
        (png_bytes(load_sample("cat", 96).rgb), "does not hold one number per pixel"),
        (b"just some words", "is no PNG file or is damaged"),
        (png_of(np.zeros((96, 96), np.uint8))[:60], "is no PNG file or is damaged"),
    ],
    ids=["labels", "size", "colour", "text", "truncated"],
)
def test_an_annotation_that_does_not_fit_is_one_sentence(small, annotation, sentence):
    app = with_street(annotation=annotation)
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value


def test_a_picture_that_is_none_is_one_sentence(small):
    app = opened("segment", scene=TITLES["upload"], segmentation_network=NAME)
    app.file_uploader(key="scene_file").upload("street.png", b"words", KIND).run()
    assert not app.exception
    assert "street.png is no PNG, JPEG, WebP, BMP or TIFF picture" in app.error[0].value


def test_a_classifier_is_one_sentence(small):
    app = opened("segment", segmentation_network=OWN_FILE)
    content = save(CifarResNet(1, 4).state_dict())
    app.file_uploader(key="segmentation_file").upload("net.safetensors", content, "x/y").run()
    assert not app.exception
    assert "is no segmentation network" in app.error[0].value
