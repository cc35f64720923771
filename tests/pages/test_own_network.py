"""A visitor's own network on the pages for super-resolution: from the file to the result."""

import io
import os
from collections.abc import Callable

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution import own_network
from pages.parts.super_resolution.own_network import KEY, NO_NETWORK, OWN_FILE
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.loading import read_network
from quantlib.models.saving import packed_file
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.adapting.adapt import adapt
from quantlib.qat.fused import uncompiled
from quantlib.tasks.super_resolution import adaptation_pictures
from tests.models.graphs.building import enlarging, model, node
from tests.models.graphs.small_networks import onnx_file, small
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened

QUERY = {"network": OWN_FILE, "picture": "Cat"}
RESIZE = node("Resize", "x _ s", mode="linear")


def graph() -> bytes:
    return enlarging().SerializeToString()


def dropped(name: str, content: bytes, page: str = "workbench", **query: str) -> AppTest:
    app = opened(page, **(QUERY | query))
    assert NO_NETWORK in [info.value for info in app.info]
    app.file_uploader(key=KEY).upload(name, content).run()
    return app


def told(app: AppTest) -> list[str]:
    return [*captions(app.sidebar), *(one.value for one in app.sidebar.markdown)]


def test_what_it_is_is_said_beside_the_result():
    app = dropped("mine.onnx", onnx_file(small("RLFN")), method="Direct", bits="4")
    assert fine(app)
    assert app.subheader[0].value.startswith("4-bit direct keeps ")
    said = told(app)
    assert any(
        one.startswith("ONNX, ×2, 4,948 parameters. The inputs of 17 of its 19 layers")
        for one in said
    )
    assert any(one.startswith("**Quantized:** `body.0.convs.0`") for one in said)
    assert "**In full precision, as they are the ends:** `head`, `upsampler.0`" in said
    assert any("(.pt2) stay closed" in one for one in said)
    code = [one.value for one in app.code]
    assert "--model mine.onnx" in code[0] and "open_network('mine.onnx', settings)" in code[1]


def test_it_is_kept_for_the_visit_and_nobody_else_sees_it(monkeypatch):
    app = dropped("mine.onnx", graph(), "importance")
    read = []
    monkeypatch.setattr(own_network, "read_checkpoint_apart", lambda *given: read.append(given))
    app.slider(key="bits").set_value(2).run()
    assert fine(app) and not read
    other = opened("importance", **QUERY)
    assert NO_NETWORK in [info.value for info in other.info]
    typed = opened("importance", network="mine.onnx", picture="Cat")
    assert "mine.onnx is no network's name" in typed.error[0].value.replace("\\", "")


def test_weights_alone_load_where_the_architecture_is_known():
    torch.manual_seed(0)
    file = io.BytesIO()
    torch.save({"state_dict": EDSR(2, 4, 1).state_dict()}, file)
    app = dropped("edsr.pth", file.getvalue(), "memory")
    assert fine(app)
    assert any(one.startswith("EDSR, ×2, ") for one in told(app))


class Code:
    def __reduce__(self):
        return os.system, ("true",)


def pickled() -> bytes:
    file = io.BytesIO()
    torch.save({"weight": Code()}, file)
    return file.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "code.pth": (pickled, "code.pth was refused because it asks for posix.system beside tensors"),
    "half.onnx": (
        lambda: model([RESIZE], {"s": np.array([1, 1, 1.5, 1.5], np.float32)}).SerializeToString(),
        "half.onnx enlarges 1.5 times; choose a network whose scale is a whole number.",
    ),
    "program.pt2": (lambda: b"PK", "program.pt2 is a program of torch.export, which cannot be"),
    "large.safetensors": (
        lambda: bytes(3_000_000),
        "large.safetensors has 3 MB; choose a file of 1 MB or less.",
    ),
    "cut.onnx": (lambda: graph()[:-9], "cut.onnx is not a complete ONNX file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_and_the_page_stays(name, monkeypatch):
    make, sentence = REFUSED[name]
    if name.startswith("large"):
        monkeypatch.setattr(own_network, "MAX_MEGABYTES", 1)
    app = dropped(name, make())
    assert not app.exception and len(app.error) == 1
    assert sentence in app.error[0].value.replace("\\", "")
    app.file_uploader(key=KEY).upload("good.onnx", graph()).run()
    assert fine(app) and app.subheader[0].value.startswith("2-bit DQA")


def test_what_was_adapted_is_dropped_again():
    network = read_network(graph(), "mine.onnx")
    with uncompiled():
        adapted = adapt(network, adaptation_pictures(2)[:1], steps=1, side=16).network
    assert isinstance(adapted, SRNetwork)
    app = dropped("mine.onnx", graph(), method="RLQ")
    assert app.button(key="adapt").label == "Adapt to W4A4"
    app.file_uploader(key=KEY).upload("w4a4.safetensors", packed_file(adapted)).run()
    assert fine(app) and app.subheader[0].value.startswith("4-bit RLQ keeps ")
    assert "Trained with 4 bits." in told(app)
