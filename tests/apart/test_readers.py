"""What strangers send, read in a process of its own: the same as in this one, within bounds."""

import io
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from quantlib.apart.processes import _NURSERY
from quantlib.datasets import apart as datasets
from quantlib.datasets.annotated import read_annotation
from quantlib.datasets.reading import read_parquet
from quantlib.errors import QuantlibError
from quantlib.imaging import apart as pictures
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.reading import png_bytes, read_picture
from quantlib.models import apart as checkpoints
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.loading import read_network
from tests.apart.test_running import gone
from tests.architecture.test_late_imports import imported_by
from tests.datasets.test_reading import pictures as random_pictures
from tests.datasets.test_reading import table
from tests.imaging.picture_files import saved
from tests.models.graphs.building import enlarging

RGB = random_pictures(1, 40)[0]
RGBA = np.dstack([RGB, RGB[..., 0]])


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Those that were started; none of them is left."""
    forked, begin = [], _NURSERY.fork

    def fork(module: str, *places: int) -> int:
        forked.append(begin(module, *places))
        return forked[-1]

    monkeypatch.setattr(_NURSERY, "fork", fork)
    yield forked
    assert forked and all(map(gone, forked))


@pytest.mark.parametrize(
    "content",
    [
        png_bytes(RGB),
        saved(Image.fromarray(RGBA)),
        saved(Image.fromarray(RGB), "JPEG", quality=90),
        saved(Image.fromarray(RGB), icc_profile=profile_of_primaries(2.2)),
        saved(Image.fromarray(RGB[..., 0])),
    ],
    ids=["png", "transparent", "jpeg", "profile", "grey"],
)
def test_a_picture(content, processes):
    found, wanted = pictures.decode_apart(content, "a.png"), read_picture(content, "a.png")
    np.testing.assert_array_equal(found.picture.rgb, wanted.rgb)
    assert (found.picture.alpha is None) == (wanted.alpha is None)
    if wanted.alpha is not None:
        np.testing.assert_array_equal(found.picture.alpha, wanted.alpha)
    assert (found.picture.name, found.picture.notes) == (wanted.name, wanted.notes)
    assert found.picture.profile == wanted.profile
    small = Image.open(io.BytesIO(found.thumbnail))
    assert small.format == "JPEG" and small.size == (40, 40)
    assert len(processes) == 1


@pytest.mark.parametrize("content", [b"", b"some words", png_bytes(RGB)[:200]])
def test_no_picture_is_the_same_sentence(content, processes):
    with pytest.raises(QuantlibError) as wanted:
        read_picture(content, "a.png")
    with pytest.raises(QuantlibError) as found:
        pictures.decode_apart(content, "a.png")
    assert str(found.value) == str(wanted.value)


def test_a_picture_that_takes_too_much(monkeypatch, processes):
    monkeypatch.setattr(pictures, "LIMITS", replace(pictures.LIMITS, megabytes=20))
    large = png_bytes(np.zeros((4000, 5000, 3), np.uint8))
    with pytest.raises(QuantlibError, match=r"a\.png needs more than 20 MB of memory; choose or"):
        pictures.decode_apart(large, "a.png")


def test_pictures_and_tables_need_no_pytorch():
    assert imported_by("import quantlib.imaging.apart, quantlib.datasets.apart", ("torch",)) == []


def test_a_table(processes, tmp_path):
    content = table([png_bytes(one) for one in random_pictures(4)], [3, 8, 0, 9])
    path = tmp_path / "some.parquet"
    path.write_bytes(content)
    wanted = read_parquet(content, "a")
    for found in (
        datasets.read_parquet_apart(content, "a"),
        datasets.read_parquet_file_apart(path),
    ):
        np.testing.assert_array_equal(found.rgb, wanted.rgb)
        assert found.labels.tolist() == wanted.labels.tolist() and found.classes == wanted.classes
    assert len(datasets.read_parquet_apart(content, "a", limit=2)) == 2
    with pytest.raises(QuantlibError, match=r"words\.parquet is no table"):
        datasets.read_parquet_apart(b"words", "words.parquet")


def test_an_annotation(processes):
    content = saved(Image.fromarray(RGB[..., 0] // 30))
    np.testing.assert_array_equal(datasets.read_annotation_apart(content), read_annotation(content))
    with pytest.raises(QuantlibError, match="The annotation is no PNG file"):
        datasets.read_annotation_apart(b"words")


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return EDSR(2, 4, 1).state_dict()


def pickled(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def odd() -> dict[str, torch.Tensor]:
    """Names and layouts that are no safetensors file's."""
    shared = torch.arange(12.0).view(3, 4)
    return {
        "__metadata__": torch.ones(2),
        "a\nb": shared,
        "again": shared,
        "turned": shared.T,
        "none": torch.zeros(0, 3),
        "number": torch.tensor(3),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "is": torch.tensor([True, False]),
    }


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("net.safetensors", lambda: save(weights(), {"bits": "4"})),
        ("net.pth", lambda: pickled({"state_dict": weights(), "epoch": 3})),
        ("odd.pt", lambda: pickled(odd())),
        ("net.onnx", lambda: enlarging().SerializeToString()),
    ],
    ids=["safetensors", "pickle", "odd", "onnx"],
)
def test_a_checkpoint(name: str, make: Callable[[], bytes], processes, tmp_path: Path):
    content = make()
    path = tmp_path / name
    path.write_bytes(content)
    wanted = Checkpoint.read(content, name)
    for found in (
        checkpoints.read_checkpoint_apart(content, name),
        checkpoints.read_checkpoint_file_apart(path),
    ):
        # safetensors itself has no order
        assert sorted(found.weights) == sorted(wanted.weights)
        for one, value in wanted.weights.items():
            assert found.weights[one].dtype == value.dtype
            assert torch.equal(found.weights[one], value)
        for field in ("name", "metadata", "sha256", "notes", "bits"):
            assert getattr(found, field) == getattr(wanted, field)


def test_a_network_is_made_of_what_comes_back(processes):
    content = pickled(weights())
    found = read_network(checkpoints.read_checkpoint_apart(content, "net.pth"), "net.pth")
    wanted = read_network(content, "net.pth")
    x = torch.rand(1, 3, 8, 9)
    assert torch.equal(found(x), wanted(x))
    assert (found.name, found.sha256, found.notes) == (wanted.name, wanted.sha256, wanted.notes)


class Opening:
    def __reduce__(self):
        return open, ("/etc/hostname",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("net.pth", b"words"),
        ("net.pth", pickle.dumps(Opening(), 2)),
        ("net.safetensors", b"words"),
        ("net.onnx", b"words"),
        ("net.pt2", b"words"),
    ],
)
def test_no_checkpoint_is_the_same_sentence(name, content, processes):
    with pytest.raises(QuantlibError) as wanted:
        read_network(content, name)
    with pytest.raises(QuantlibError) as found:
        checkpoints.read_checkpoint_apart(content, name)
    assert str(found.value) == str(wanted.value)


def test_a_checkpoint_that_takes_too_much(monkeypatch, processes):
    monkeypatch.setattr(checkpoints, "LIMITS", replace(checkpoints.LIMITS, megabytes=100))
    content = pickled({"weight": torch.zeros(60_000_000, dtype=torch.uint8)})
    with pytest.raises(QuantlibError, match=r"net\.pth needs more than 100 MB of memory; choose"):
        checkpoints.read_checkpoint_apart(content, "net.pth")
