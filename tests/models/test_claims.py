"""What a file claims is held against what it holds, before anything is made of it."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.allocation import Bounded, ClaimError
from quantlib.models.architectures import swinir
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.mobilenetv2 import mobilenet
from quantlib.models.architectures.pan import PAN
from quantlib.models.architectures.unet import UNet
from quantlib.models.checkpoint import MOST_NAMES, Checkpoint
from quantlib.models.classifier import read_classifier
from quantlib.models.files import read_checkpoint_file
from quantlib.models.loading import read_network
from quantlib.models.opcodes import MOST_OPCODES
from quantlib.models.segmenter import read_segmenter


def saved(content: object, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


LARGER = "are those of a larger network than it holds"
WIDE = {"head.0.weight": torch.ones(3000, 3, 1, 1), "tail.0.0.weight": torch.ones(12000, 1)}


@pytest.mark.parametrize(
    ("read", "weights", "sentence"),
    [
        (
            read_segmenter,
            dict.fromkeys(("down.0.0.weight", "bottom.0.weight", "widen.0.weight"), torch.ones(1))
            | {"head.weight": torch.ones(2, 3000)},
            LARGER,
        ),
        (
            read_classifier,
            dict.fromkeys(("features.1.conv.0.0.weight",), torch.ones(1))
            | {"features.17.conv.2.weight": torch.ones(10), "classifier.1.weight": torch.ones(2)}
            | {"classifier.1.weight": torch.ones(2_000_000, 0)},
            "do not fit together|larger network",
        ),
        (
            read_network,
            WIDE | {"tail.1.weight": torch.ones(3, 1, 1, 1), "body.0.body.0.weight": torch.ones(1)},
            LARGER,
        ),
        (
            read_network,
            {
                "head.0.weight": torch.ones(10**9, 3, 0, 3),
                "tail.0.0.weight": torch.ones(4 * 10**9, 0),
            }
            | {"tail.1.weight": torch.ones(3, 0)},
            LARGER,
        ),
    ],
    ids=["features", "classes", "width", "empty"],
)
@pytest.mark.parametrize("form", ["net.pth", "net.safetensors"])
def test_sizes_that_are_claimed(
    read: Callable[[bytes, str], nn.Module], weights: dict[str, Tensor], sentence: str, form: str
) -> None:
    own = {name: value.clone() for name, value in weights.items()}
    content = saved(own) if form == "net.pth" else save_safetensors(own)
    with pytest.raises(QuantlibError, match=sentence):
        read(content, form)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EDSR(2, 3000, 1),
        lambda: PAN(2, 3000, 24, 1),
        lambda: UNet(2, 3000),
        lambda: CifarResNet(1, 3000),
        lambda: mobilenet(10, 30.0),
        lambda: torch.zeros(10**6).repeat(100),
        lambda: torch.zeros(5000, 1) - torch.zeros(1, 5000),
        lambda: torch.zeros(1).expand(10**9).contiguous(),
        lambda: torch.eye(10**5),
        lambda: torch.arange(10**9),
        lambda: nn.functional.interpolate(torch.zeros(1, 1, 2, 2), scale_factor=5000.0),
        lambda: nn.functional.pad(torch.zeros(1, 1), (0, 10**9)),
        lambda: torch.cat([torch.zeros(10**7)] * 10),
    ],
)
def test_nothing_beyond_the_bound_is_allocated(make: Callable[[], Any]) -> None:
    with pytest.raises(ClaimError), Bounded(held=100):
        make()


def test_small_layers_without_end_are_not_made() -> None:
    """Eighty names of a SwinIR that ask for 2,400 blocks."""
    weights = swinir.light(2, 12, 1, 1, 2).state_dict()
    for group in range(40):
        blocks = f"layers.{group}.residual_group.blocks."
        weights[f"{blocks}0.{swinir.TABLE}"] = torch.zeros(225, 2)
        weights[f"{blocks}59.norm1.weight"] = torch.ones(12)
    with pytest.raises(QuantlibError, match=LARGER):
        read_network(saved(weights), "net.pth")


@pytest.mark.parametrize(
    "make", [lambda: EDSR(2, 8, 2), lambda: UNet(3, 2), lambda: mobilenet(10, 0.1)]
)
def test_what_is_held_is_allocated_and_filled(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    plain = make().state_dict()
    torch.manual_seed(0)
    with Bounded(sum(value.numel() for value in plain.values())):
        bounded = make().state_dict()
    assert all(torch.equal(bounded[name], value) for name, value in plain.items())


def test_more_names_than_any_network_has() -> None:
    many = {f"layer.{i}.weight": torch.ones(1) for i in range(MOST_NAMES + 1)}
    with pytest.raises(QuantlibError, match=r"net\.safetensors holds 5,001 tensors, more than"):
        Checkpoint.read(save_safetensors(many), "net.safetensors")
    shared = dict.fromkeys(many, torch.ones(100_000))
    with pytest.raises(QuantlibError, match=r"net\.pth holds 5,001 weights, more than"):
        Checkpoint.read(saved(shared), "net.pth")


@pytest.mark.parametrize("number", ["1000", "16777216", "9" * 5000])
def test_a_name_that_counts_to_more_layers_than_there_are(number: str) -> None:
    weights = {
        name.replace("layers.0.", f"layers.{number}."): value
        for name, value in swinir.light(2, 12, 1, 1, 2).state_dict().items()
    }
    with pytest.raises(
        QuantlibError,
        match=rf"counts to more layers than a network of its size has, as in \w+\.{number[:20]}",
    ):
        Checkpoint.read(saved(weights), "net.pth")


def test_no_network_counts_to_thousands_of_layers() -> None:
    weights = {f"stages.{at}.weight": torch.ones(1) for at in range(1_000)}
    with pytest.raises(QuantlibError, match=r"counts to more layers .* as in stages\.501\.weight"):
        Checkpoint.read(saved(weights), "net.pth")


def test_layers_without_weights_are_counted_too() -> None:
    weights = {f"body.{3 * at}.weight": torch.ones(1) for at in range(20)}
    assert len(Checkpoint.read(saved(weights), "net.pth").weights) == 20


def test_values_under_more_names_than_tied_weights_have() -> None:
    shared = torch.ones(10_000)
    assert len(Checkpoint.read(saved({"a": shared, "b": shared}), "net.pth").weights) == 2
    with pytest.raises(QuantlibError, match="claims more values than it holds, as in w"):
        Checkpoint.read(saved({f"w{i}": shared for i in range(50)}), "net.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_an_expanded_tensor(legacy: bool) -> None:
    content = saved({"head.0.weight": torch.ones(1).expand(10**9)}, legacy)
    assert len(content) < 2000
    with pytest.raises(QuantlibError, match=r"claims more values than it holds, as in head\.0"):
        Checkpoint.read(content, "net.pth")


def test_a_transposed_tensor_is_held() -> None:
    weights = Checkpoint.read(saved({"a": torch.arange(6.0).view(2, 3).T}), "net.pth").weights
    assert torch.equal(weights["a"], torch.arange(6.0).view(2, 3).T)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.eye(3).to_sparse(), "a sparse tensor"),
        (torch.eye(3).to_sparse_csr(), "a sparse tensor"),
        (torch.ones(3, device="meta"), "a tensor without values"),
        (torch.ones([1] * 70), "a tensor of 70 dimensions"),
        (torch.ones(3, dtype=torch.complex64), "values of type complex64"),
        (torch.ones(3).to(torch.float8_e4m3fn), "values of type float8_e4m3fn"),
        (torch.zeros(3, dtype=torch.uint8).view(torch.float4_e2m1fn_x2), "values of type float4"),
        (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "values of type qint8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_that_are_no_plain_values(value: Tensor, kind: str) -> None:
    with pytest.raises(QuantlibError, match=rf"net\.pth holds {kind}.* under a\.weight; choose"):
        Checkpoint.read(saved({"a.weight": value}), "net.pth")


def one_tensor(dtype: object, shape: list[int], end: int, values: bytes = b"") -> bytes:
    """A safetensors file that claims one tensor whose bytes end at `end`."""
    entry = {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}
    return safetensors_header({"a": entry}, values)


def safetensors_header(header: object, values: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (one_tensor("F8_E4M3", [2], 2, b"12"), "values of type F8_E4M3"),
        (one_tensor("C64", [1], 8, b"1" * 8), "values of type C64"),
        (one_tensor("F32", [2**40], 4, b"1234"), "not a complete safetensors"),
        (one_tensor("F32", [1], 2**60), "not a complete safetensors"),
        (safetensors_header(b"[" * 100_000), "not a complete safetensors"),
        (safetensors_header([1]), "not a complete safetensors"),
        (safetensors_header({"a": 3}), "not a complete safetensors"),
        (safetensors_header({"a": {"dtype": ["F32"], "shape": [1]}}), "not a complete safetensors"),
        (struct.pack("<Q", 2**63), "not a complete safetensors"),
    ],
)
def test_headers_of_safetensors(content: bytes, sentence: str) -> None:
    with pytest.raises(QuantlibError, match=sentence):
        Checkpoint.read(content, "net.safetensors")


class Calls:
    """Pickles as a call of what PyTorch's reader allows."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


def doubled(depth: int) -> Any:
    twice: Any = ()
    for _ in range(depth):
        twice = (twice, twice)
    return twice


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"a": Calls(bytearray, 10**11)}, r"asks for \w+\.bytearray beside tensors"),
        ({"a": b"bytes are encoded text to protocol 2"}, r"asks for _codecs\.encode beside"),
        ({"a": [doubled(60)]}, "is nested or repeats itself"),
        ({"a": list(range(MOST_OPCODES))}, "is nested or repeats itself"),
        ({"a": Calls(torch.Tensor, 10**10)}, "not a complete|claims more values"),
    ],
    ids=["bytearray", "encode", "value", "opcodes", "tensor"],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_pickles_that_cost_more_than_they_weigh(content: Any, sentence: str, legacy: bool) -> None:
    with pytest.raises(QuantlibError, match=sentence):
        Checkpoint.read(saved(content, legacy), "net.pth")


def test_a_zip_file_that_unpacks_to_much_more() -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"a": torch.zeros(1 << 20)}))) as whole,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as small,
    ):
        for entry in whole.infolist():
            small.writestr(entry.filename, whole.read(entry))
    assert len(packed.getvalue()) < 50_000
    with pytest.raises(QuantlibError, match="is nested or repeats itself"):
        Checkpoint.read(packed.getvalue(), "net.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_containers_that_contain_themselves(legacy: bool) -> None:
    ring: dict[str, Any] = {"list": []}
    ring["list"] += [ring, ring["list"]]
    for wrapper in ("state_dict", "params", "model", "ema", "callbacks", "x"):
        ring[wrapper] = ring
    content = saved(ring, legacy)
    assert len(content) < 2500
    with pytest.raises(QuantlibError, match="holds no weights"):
        Checkpoint.read(content, "ring.pth")


def test_a_small_claim_costs_little() -> None:
    """The claim is refused by its numbers: nothing of its size is made on the way."""
    content = saved(
        dict.fromkeys(("down.0.0.weight", "bottom.0.weight", "widen.0.weight"), torch.ones(1))
        | {"head.weight": torch.ones(2, 3000)}
    )
    tracemalloc.start()
    try:
        with pytest.raises(QuantlibError, match=LARGER):
            read_segmenter(content, "net.pth")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30e6


def test_names_out_of_a_file_are_shown_on_one_line() -> None:
    weights = {**EDSR(2, 4, 1).state_dict(), "evil\nname" * 30: torch.tensor([float("nan")])}
    with pytest.raises(QuantlibError, match=r"values in evil name.{40,60}… that") as caught:
        Checkpoint.read(saved(weights), "net.pth")
    assert "\n" not in str(caught.value)


def test_what_stands_where_a_file_is_expected(tmp_path: Path) -> None:
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(QuantlibError, match=r"folder\.pth is a folder; choose a checkpoint file"):
        read_checkpoint_file(tmp_path / "folder.pth")
    with pytest.raises(QuantlibError, match=r"folder\.pth is a folder"):
        load(str(tmp_path / "folder.pth"))


def test_a_file_that_may_not_be_read_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.pth").write_bytes(saved({"a": torch.ones(1)}))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(
        QuantlibError, match=r"net\.pth cannot be read \(Permission denied\); check"
    ):
        read_checkpoint_file(tmp_path / "net.pth")


def test_half_precision_and_integers_load() -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        weights = {name: value.to(dtype) for name, value in EDSR(2, 4, 1).state_dict().items()}
        network = read_network(saved(weights), "net.pth")
        assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert np.isfinite(network(torch.ones(1, 3, 4, 4)).numpy()).all()


def test_what_an_upload_is_called_is_never_opened(tmp_path: Path) -> None:
    content = saved(EDSR(2, 4, 1).state_dict())
    for name in (str(tmp_path / "absent.pth"), "builtin:edsr-x2.pth", "../../etc/passwd.pth"):
        network = read_network(content, name)
        assert (network.name, network.source, network.licence) == (name, name, None)
    assert not list(tmp_path.iterdir())
    with pytest.raises(QuantlibError, match="is not a checkpoint; its name must end in"):
        read_network(content, "builtin:edsr-x2")


def test_pickles_of_python_alone() -> None:
    for content in (pickle.dumps({"a": 1}), pickle.dumps([1, 2], protocol=2), b"", b"PK\x03\x04"):
        with pytest.raises(QuantlibError, match="is not a complete PyTorch checkpoint"):
            Checkpoint.read(content, "net.pth")
