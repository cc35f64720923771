"""The page for classifiers: answers that change, accuracies, and what a visitor may do wrong."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from pages.parts.classify.picture_grid import SHOWN
from pages.parts.classify.pictures import TITLES
from pages.parts.recognition.networks import OWN_FILE
from quantlib.datasets.folders import read_digits
from quantlib.imaging.reading import png_bytes
from quantlib.models import load_classifier
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.unet import UNet
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS, names
from quantlib.tasks.classification import classify
from tests.hub_server import HubServer, use_hub
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened

KIND = "application/octet-stream"


def parquet(count: int, classes: int = 10, side: int = 32) -> bytes:
    random = np.random.default_rng(0)
    pictures = [
        {"bytes": png_bytes(random.integers(0, 256, (side, side, 3), np.uint8))}
        for _ in range(count)
    ]
    buffer = io.BytesIO()
    table = pa.table({"img": pictures, "label": np.arange(count) % classes})
    pq.write_table(table, buffer)
    return buffer.getvalue()


def weights(blocks: int = 1, classes: int = 10) -> bytes:
    torch.manual_seed(0)
    return save(CifarResNet(blocks, 4 if blocks == 1 else 16, classes).state_dict())


def with_uploads(network: bytes, pictures: bytes, **query: str) -> AppTest:
    """The page with an uploaded network and uploaded pictures."""
    app = opened("classify", classification_network=OWN_FILE, data=TITLES["file"], **query)
    app.file_uploader(key="classification_file").upload("net.safetensors", network, KIND).run()
    return app.file_uploader(key="parquet").upload("some.parquet", pictures, KIND).run()


def test_the_sentence_says_what_the_library_measures():
    app = opened("classify", bits="2")
    assert fine(app)
    found = {
        method: classify(
            load_classifier("builtin:resnet-digits"),
            Settings(method, 2),
            read_digits(),
            read_digits("train")[:250],
        )
        for method in ("fp32", "dqa")
    }
    changed = int((found["fp32"].predicted != found["dqa"].predicted).sum())
    assert app.subheader[0].value.startswith(
        f"2-bit DQA names {found['dqa'].accuracy:.2f} % right where FP32 names "
        f"{found['fp32'].accuracy:.2f} %, and changes {changed} of 500 answers, at "
        f"{found['dqa'].ledger.bits_per_activation:.2f} bits per activation"
    )
    table = app.dataframe[0].value
    assert list(table["class"]) == list("0123456789")
    assert sum(table["pictures"]) == 500
    np.testing.assert_allclose(table["quantized %"], list(found["dqa"].per_class.values()))


@pytest.mark.parametrize("method", names(learned=False))
def test_every_method(method):
    app = opened("classify", method=METHODS[method].title, count="100")
    assert fine(app)
    assert app.selectbox(key="method").value == method


def test_a_method_of_other_networks_is_not_offered():
    app = opened("classify", method="RLQ", criterion="Greedy", count="100")
    assert fine(app)
    assert "rlq" not in names(learned=False)
    assert app.selectbox(key="criterion").value == "fisher"


def test_pictures_are_filtered():
    app = opened("classify", bits="2", show="Changed")
    assert fine(app)
    changed = int(app.subheader[0].value.split("changes ")[1].split(" of")[0])
    said = captions(app)
    assert any(c.startswith(f"{min(changed, SHOWN)} of {changed} pictures") for c in said)
    app.segmented_control(key="show").set_value("Wrong").run()
    assert fine(app)
    app.slider(key="bits").set_value(8).run()
    app.segmented_control(key="show").set_value("Changed").run()
    assert "No answer changed." in captions(app)


def test_the_lines_give_the_same_numbers(capsys):
    app = opened("classify", bits="2", count="250")
    exec(app.code[-1].value, {})
    accuracy, _, bits = capsys.readouterr().out.split()
    assert f"names {float(accuracy):.2f} % right" in app.subheader[0].value
    assert f"at {float(bits):.2f} bits" in app.subheader[0].value
    assert "--data digits --limit 250 --batch 1000 --method dqa --bits 2" in app.code[0].value


def test_an_uploaded_network_and_uploaded_pictures():
    app = with_uploads(weights(), parquet(30), method="Direct")
    assert fine(app)
    assert "of 15 answers" in app.subheader[0].value
    assert any("calibrated on the first 15" in c for c in captions(app))
    assert len(app.code) == 1 and "read_parquet" in app.code[0].value


@pytest.mark.parametrize(
    ("network", "pictures", "sentence"),
    [
        (weights(classes=7), parquet(8), "knows 7 classes and the data set has 10"),
        (weights(), parquet(8, side=16), "pictures of 32×32 pixels, not 16×16"),
        (weights(), parquet(12, classes=12), "classes are numbered from 0"),
        (weights(), b"no table", "some.parquet is no table"),
        (weights(), parquet(1), "holds 1 pictures"),
        (b"no weights", parquet(8), "net.safetensors"),
        (save(UNet(2, 2).state_dict()), parquet(8), "is no classification network"),
    ],
    ids=["classes", "size", "labels", "no parquet", "too few", "no weights", "no classifier"],
)
def test_what_does_not_fit_is_one_sentence(network, pictures, sentence):
    app = opened("classify", classification_network=OWN_FILE, data=TITLES["file"])
    assert "No network yet" in app.info[0].value
    app.file_uploader(key="classification_file").upload("net.safetensors", network, KIND).run()
    if app.info and app.info[0].value.startswith("No pictures yet"):
        app.file_uploader(key="parquet").upload("some.parquet", pictures, KIND).run()
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize("name", ["builtin:nothing", "/etc/passwd", "hub:acme/../x", "nonsense"])
def test_an_unknown_network_is_one_sentence(name):
    app = opened("classify", classification_network=name)
    assert not app.exception
    assert len(app.error) == 1


def test_cifar10_without_the_hub_is_one_sentence(tmp_path, monkeypatch):
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path)
    app = opened("classify", data=TITLES["cifar10"])
    assert not app.exception
    assert len(app.error) == 1
    assert "The Hugging Face Hub cannot be reached" in app.error[0].value


def test_resnet32_on_cifar10_stands_beside_what_was_published(tmp_path, monkeypatch):
    files = {
        f"plain_text/{split}-00000-of-00001.parquet": parquet(count)
        for split, count in (("train", 250), ("test", 100))
    }
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path)
        server.add("uoft-cs/cifar10", files)
        app = opened(
            "classify",
            classification_network=OWN_FILE,
            data=TITLES["cifar10"],
            count="100",
            bits="3",
        )
        content = weights(blocks=5)
        app.file_uploader(key="classification_file").upload("net.safetensors", content, KIND).run()
    assert fine(app)
    table = app.table[0].value
    published = [column for column in table if column.startswith("published")]
    direct, dqa = (table[table["method"] == name] for name in ("Direct", "eDQA"))
    assert (direct[published[0]].item(), dqa[published[0]].item()) == ("52.85", "82.13")
    accuracy = app.subheader[0].value.split("names ")[1].split(" %")[0]
    assert dqa["measured here, %"].item() == accuracy
    app.slider(key="bits").set_value(4).run()
    assert fine(app) and not app.table


def test_other_pictures_bring_a_network_that_knows_them():
    app = opened("classify")
    assert app.selectbox(key="classification_network").value == "builtin:resnet-digits"
    app.selectbox(key="data").set_value("file").run()
    assert app.selectbox(key="classification_network").value == "builtin:mobilenetv2-cifar10"
    app.selectbox(key="data").set_value("digits").run()
    assert app.selectbox(key="classification_network").value == "builtin:resnet-digits"
    assert fine(app)
    asked = opened("classify", data=TITLES["file"])
    assert asked.selectbox(key="classification_network").value == "builtin:mobilenetv2-cifar10"
