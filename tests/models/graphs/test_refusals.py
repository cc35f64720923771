"""ONNX files that are no network to work with: one sentence each, and nothing is run or opened."""

import re
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.classifier import read_classifier
from quantlib.models.graphs import wire
from quantlib.models.loading import read_network
from quantlib.runtime.onnx_export import export_onnx
from quantlib.tasks.super_resolution import sites_of
from tests.models.graphs.building import enlarging, model, node
from tests.models.graphs.small_networks import onnx_file, small

CONV = node("Conv", "a body.weight", "b", pads=[1] * 4)


def refused(content: Any, name: str = "net.onnx") -> str:
    if isinstance(content, onnx.ModelProto):
        content = content.SerializeToString()
    with pytest.raises(QuantlibError) as caught:
        read_network(content, name)
    told = str(caught.value)
    assert told.endswith(".") and "\n" not in told and len(told) < 300
    return told


def test_what_is_built_here_loads():
    network = read_network(enlarging().SerializeToString(), "net.onnx")
    assert network.scale == 2 and [site.name for site in sites_of(network).sites] == ["body"]


def changed(change: Callable[[onnx.ModelProto], Any]) -> onnx.ModelProto:
    made = enlarging()
    change(made)
    return made


def external(made: onnx.ModelProto) -> None:
    stored = made.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value="/etc/passwd")


def branching() -> onnx.ModelProto:
    inside = helper.make_graph([node("Relu", "a", "z")], "inside", [], [])
    chosen = helper.make_node("If", ["yes"], ["b"], then_branch=inside, else_branch=inside)
    return enlarging(2, chosen, yes=np.array(True))


def integer_input(made: onnx.ModelProto) -> None:
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def without_values(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].ClearField("raw_data")


def larger_claim(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].dims[0] = 1 << 40


def half(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].raw_data = made.graph.initializer[0].raw_data[::2]


def not_finite(made: onnx.ModelProto) -> None:
    kernel = np.full((4, 3, 3, 3), np.nan, np.float32)
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(kernel, "head.weight"))


def resized(factor: float) -> onnx.ModelProto:
    return model(
        [node("Resize", "x _ s", mode="linear")],
        {"s": np.array([1, 1, factor, factor], np.float32)},
    )


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "scale": (lambda: resized(1.5), "net.onnx enlarges 1.5 times; choose a network whose scale is"),
    "odd scale": (
        lambda: resized(1.3),
        "enlarges about 1.3 times; choose a network",
    ),
    "smaller": (lambda: resized(0.5), "net.onnx enlarges 0.5 times"),
    "no scale": (lambda: model([node("Relu", "x")]), "does not enlarge pictures (×1)"),
    "size": (
        lambda: onnx_file(small("RFDN"), fixed=True),
        "net.onnx is made for pictures of 24×24 pixels only; export it with dynamic height",
    ),
    "hidden size": (
        lambda: enlarging(2, node("Reshape", "a s", "b"), s=np.array([1, 4, 9, 9])),
        "net.onnx runs on pictures of no size that was tried (Reshape (Reshape_of_b) cannot",
    ),
    "unknown": (
        lambda: enlarging(2, node("GridSample", "a a", "b")),
        "net.onnx uses GridSample, which is not supported; export the network without it.",
    ),
    "unknown way": (
        lambda: enlarging(2, node("Resize", "a _ s", "b", antialias=1), s=np.ones(4, np.float32)),
        "uses Resize with antialias or exclude_outside, which is not supported",
    ),
    "mixed up": (
        lambda: enlarging(
            2,
            node("Reshape", "a tiles", "t"),
            node("Conv", "t body.weight", "u", pads=[1] * 4),
            node("Shape", "a", "sides"),
            node("Reshape", "u sides", "b"),
            tiles=np.array([-1, 4, 16, 16]),
        ),
        "net.onnx was exported for pictures of one size and mixes up the parts of others",
    ),
    "own operator": (
        lambda: enlarging(2, node("Relu", "a", "b", domain="com.me")),
        "net.onnx uses Relu of com.me, which is no operator of ONNX",
    ),
    "branch": (branching, "net.onnx uses If, which runs a graph inside the graph"),
    "external": (lambda: changed(external), "net.onnx keeps its weights in another file"),
    "pixels": (lambda: changed(integer_input), "net.onnx takes pictures as UINT8"),
    "grey": (
        lambda: model([node("Relu", "x")], sides=("n", 1, "h", "w")),
        "is made for 1 input and 1 output channels; choose a network for RGB pictures.",
    ),
    "axes": (lambda: model([node("Relu", "x")], sides=("n", "h", 3)), "takes inputs of 3 axes"),
    "no picture": (
        lambda: model([node("GlobalAveragePool", "x", "p"), node("Flatten", "p")]),
        "net.onnx does not make an RGB picture of an RGB picture",
    ),
    "nothing": (lambda: b"", "net.onnx is not a complete ONNX file"),
    "text": (lambda: b"PK\x03\x04" * 50, "net.onnx is not a complete ONNX file"),
    "cut": (lambda: enlarging().SerializeToString()[:-40], "is not a complete ONNX file"),
    "no values": (lambda: changed(without_values), "The graph in net.onnx does not fit together"),
    "claim": (lambda: changed(larger_claim), "The graph in net.onnx does not fit together"),
    "half": (lambda: changed(half), "The graph in net.onnx does not fit together"),
    "not finite": (lambda: changed(not_finite), "holds values in head.weight that are not finite"),
    "order": (
        lambda: changed(lambda made: made.graph.node.insert(0, CONV)),
        "The graph in net.onnx does not fit together",
    ),
    "old": (lambda: model([node("Relu", "x")], opset=9), "net.onnx is written for opset 9; export"),
    "quantized": (
        lambda: enlarging(
            2,
            node("QuantizeLinear", "a s z", "q"),
            node("DequantizeLinear", "q s z", "b"),
            s=np.float32(1),
            z=np.uint8(0),
        ),
        "net.onnx is quantized already; choose the network in full precision",
    ),
    "ours": (
        lambda: export_onnx(load("builtin:quantsr-c-x2-w4a4")),
        "net.onnx was exported by Bitlens; run it with --runtime onnx.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_one_sentence(kind):
    make, sentence = REFUSED[kind]
    assert sentence in refused(make())


def nodes_without_end() -> onnx.ModelProto:
    names = [f"n{at}" for at in range(6000)]
    pairs = pairwise(["a", *names, "b"])
    return enlarging(2, *(node("Relu", before, after) for before, after in pairs))


def doubled(kind: str, times: int, *more: str, **attributes: Any) -> list[onnx.NodeProto]:
    """What grows with every step."""
    names = ["a", *(f"n{at}" for at in range(times - 1)), "b"]
    return [
        node(kind, " ".join([one, *(more or [one])]), other, **attributes)
        for one, other in pairwise(names)
    ]


def tall_constants() -> onnx.ModelProto:
    """Constants that become larger and larger before the picture is seen."""
    steps = [node("Expand", "one far", "n0")]
    steps += [node("Concat", f"n{at} n{at}", f"n{at + 1}", axis=0) for at in range(40)]
    return enlarging(
        2, *steps, node("Add", "a n40", "b"), one=np.ones(1, np.float32), far=np.array([1 << 20])
    )


def outer_product() -> onnx.ModelProto:
    """All pixels by all pixels, which is little for small pictures."""
    return enlarging(
        2,
        node("Reshape", "a flat", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1]),
        node("MatMul", "t r", "m"),
        node("MatMul", "r m", "s"),
        node("Shape", "a", "sides"),
        node("Reshape", "s sides", "b"),
        flat=np.array([0, 4, -1]),
    )


TOO_MUCH: dict[str, tuple[Callable[[], Any], str]] = {
    "nodes": (nodes_without_end, "net.onnx holds 6,005 operators and 3 constants, more than any"),
    "fields": (lambda: b"\x3a\x80\x89\x7a" + b"\x0a\x00" * 1_000_000, "is not a complete ONNX"),
    "nested": (
        lambda: b"".join(b"\x3a" + bytes([n]) for n in range(100, 2, -2)),
        "is not a complete ONNX file",
    ),
    "channels": (
        lambda: enlarging(2, *doubled("Concat", 40, axis=1)),
        "needs more memory or time for a picture of 320×320 pixels|no size that was tried",
    ),
    "expanded": (
        lambda: enlarging(2, node("Expand", "a far", "b"), far=np.array([1 << 40, 1, 1, 1])),
        "does not make an RGB picture of an RGB picture",
    ),
    "tiled": (
        lambda: enlarging(2, node("Tile", "a far", "b"), far=np.array([1, 1, 1 << 20, 1 << 20])),
        "enlarges|needs more memory|no size that was tried|not make an RGB",
    ),
    "constants": (tall_constants, "are those of a larger network than it holds|larger"),
    "filled": (
        lambda: enlarging(
            2,
            node("ConstantOfShape", "far", "f"),
            node("Add", "a f", "b"),
            far=np.array([1 << 20, 1 << 20]),
        ),
        "are those of a larger network than it holds",
    ),
    "products": (outer_product, "needs more memory or time for a picture of 320×320 pixels"),
    "pooled": (
        lambda: enlarging(2, *doubled("MaxPool", 20, "", kernel_shape=[301, 301], pads=[150] * 4)),
        "needs more memory or time for a picture of 320×320 pixels",
    ),
    "enlarged": (
        lambda: enlarging(
            2, node("Resize", "a _ s", "b"), s=np.array([1, 1, 1e5, 1e5], np.float32)
        ),
        "needs more memory|enlarges",
    ),
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_what_would_take_more_than_it_weighs_is_not_begun(kind, monkeypatch):
    monkeypatch.setattr(wire, "MOST_FIELDS", 60_000)
    make, sentence = TOO_MUCH[kind]
    content = make()
    content = content if isinstance(content, bytes) else content.SerializeToString()
    tracemalloc.start()
    try:
        told = refused(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert re.search(sentence, told), told
    assert most < 64_000_000 + 8 * len(content)


def test_packed_integers_are_counted(monkeypatch):
    monkeypatch.setattr(wire, "MOST_PACKED", 1000)
    many = TensorProto(dims=[4000], data_type=TensorProto.INT64, int64_data=[1] * 4000, name="m")
    made = changed(lambda made: made.graph.initializer.append(many))
    assert "not a complete ONNX file" in refused(made)


def test_a_program_of_torch_export_is_never_opened(tmp_path: Path):
    for where in (refused(b"PK\x03\x04", "net.pt2"), refused(b"", "NET.PT2")):
        assert "is a program of torch.export, which cannot be opened without running" in where
        assert where.endswith("export the network as ONNX.")
    with pytest.raises(QuantlibError, match="export the network as ONNX"):
        load(str(tmp_path / "none.pt2"))


def test_a_classifier_is_not_made_of_a_graph():
    with pytest.raises(QuantlibError, match="no classification network that is recognised"):
        read_classifier(enlarging().SerializeToString(), "net.onnx")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    content = b"some bytes"
    assert "pip install onnx" in refused(content)
