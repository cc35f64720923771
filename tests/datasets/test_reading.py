import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import read_annotation
from quantlib.datasets.folders import read_cifar10
from quantlib.datasets.reading import read_parquet, read_parquet_file, read_rows
from quantlib.errors import QuantlibError
from quantlib.imaging.reading import png_bytes
from quantlib.tasks.cifar10 import cifar10
from tests.hub_server import HubServer, use_hub


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def pictures(count: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)


def table(files: list[bytes], labels: list[int], **names: str) -> bytes:
    """A parquet file in the Hub's form."""
    rows = [{"bytes": file, "path": None} for file in files]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        names.get("picture", "img"): pa.array(rows, kind),
        names.get("label", "label"): pa.array(labels, pa.int64()),
    }
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_cifar10_from_the_hub(server: HubServer) -> None:
    rgb, labels = pictures(5), [3, 8, 0, 9, 3]
    file = "plain_text/test-00000-of-00001.parquet"
    server.add("uoft-cs/cifar10", {file: table([png_bytes(one) for one in rgb], labels)})
    found = cifar10()
    np.testing.assert_array_equal(found.rgb, rgb)
    assert found.labels.tolist() == labels
    assert [found.classes[n] for n in labels] == ["cat", "ship", "airplane", "truck", "cat"]
    first = cifar10(limit=2)
    np.testing.assert_array_equal(first.rgb, rgb[:2])
    assert any(f"/datasets/uoft-cs/cifar10/resolve/main/{file}" in r for r in server.requests)
    with pytest.raises(QuantlibError, match="has no file plain_text/train"):
        cifar10("train")
    with pytest.raises(QuantlibError, match="no split 'validation'; choose test or train"):
        cifar10("validation")


def test_a_data_set_that_is_not_there(server: HubServer) -> None:
    with pytest.raises(QuantlibError, match="no public dataset uoft-cs/cifar10"):
        cifar10()


def test_other_columns_and_classes() -> None:
    rgb = pictures(2, 8)
    content = table([png_bytes(one) for one in rgb], [1, 0], picture="image", label="y")
    found = read_parquet(content, "a", picture="image", label="y", classes=("no", "yes"))
    np.testing.assert_array_equal(found.rgb, rgb)
    assert found.classes == ("no", "yes")


def test_parquet_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    one, small = png_bytes(pictures(1)[0]), png_bytes(pictures(1, 8)[0])
    for content, sentence in [
        (b"PAR1 not really", "no table with pictures in img"),
        (table([one], [0], label="fine_label"), "labels in label"),
        (table([one, small], [0, 1]), "different sizes"),
        (table([one], [10]), "A label is 10, but the 10 classes"),
        (table([b"no picture"], [0]), "Row 0 of a.parquet is no PNG"),
    ]:
        path.write_bytes(content)
        with pytest.raises(QuantlibError, match=sentence):
            read_parquet_file(path)
    with pytest.raises(QuantlibError, match="There is no file"):
        read_parquet_file(tmp_path / "b.parquet")
    with pytest.raises(QuantlibError, match="cannot be read"):
        read_parquet_file(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(QuantlibError, match="needs pyarrow"):
        read_parquet_file(path)


def test_text_in_place_of_a_picture_is_no_path(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(png_bytes(pictures(1)[0]))
    sentences = set()
    for cell in (str(there), str(tmp_path), str(tmp_path / "gone.png")):
        rows = pa.array([{"bytes": cell}], pa.struct([("bytes", pa.string())]))
        buffer = io.BytesIO()
        parquet.write_table(pa.table({"img": rows, "label": [0]}), buffer)
        with pytest.raises(QuantlibError) as error:
            read_parquet(buffer.getvalue(), "a.parquet")
        sentences.add(str(error.value))
    assert sentences == {
        "Row 0 of a.parquet is str, not the bytes of a file; choose a file with bytes."
    }


@pytest.mark.parametrize("as_text", [str, Path])
def test_no_reader_takes_a_path(tmp_path: Path, as_text: type) -> None:
    picture, rows = tmp_path / "a.png", tmp_path / "a.parquet"
    picture.write_bytes(png_bytes(pictures(1)[0]))
    rows.write_bytes(table([picture.read_bytes()], [0]))
    with pytest.raises(QuantlibError, match="not the bytes of a file"):
        read_annotation(as_text(picture))
    with pytest.raises(QuantlibError, match="not the bytes of a file"):
        read_parquet(as_text(rows), "a.parquet")


def test_rows_of_one_png(tmp_path: Path) -> None:
    rgb = pictures(4, 3)
    picture, labels = tmp_path / "rows.png", tmp_path / "labels.json"
    picture.write_bytes(png_bytes(rgb.reshape(4, 9, 3)))
    labels.write_text(json.dumps({"labels": [9, 9, 1, 2, 3, 4, 9]}))
    found = read_rows(picture, labels, first=2, side=3)
    np.testing.assert_array_equal(found.rgb, rgb)
    assert found.labels.tolist() == [1, 2, 3, 4]
    with pytest.raises(QuantlibError, match="9 pixels wide, not 1024"):
        read_rows(picture, labels)
    with pytest.raises(QuantlibError, match="4 pictures need as many"):
        read_rows(picture, labels, first=5, side=3)
    labels.write_text("[]")
    with pytest.raises(QuantlibError, match="does not hold a list of labels"):
        read_rows(picture, labels, side=3)


def cifar_batch(folder: Path, name: str, rgb: np.ndarray) -> None:
    (folder / name).write_bytes(png_bytes(rgb.reshape(len(rgb), 1024, 3)))


def test_batches_of_cifar10_downloaded_twice(tmp_path: Path) -> None:
    rgb = pictures(3)
    (tmp_path / "cifar10_labels.json").write_text(json.dumps({"labels": [0] * 50_003}))
    for name in ("cifar10_batch_50.png", "cifar10_batch_50 (1).png", "._cifar10_batch_50.png"):
        cifar_batch(tmp_path, name, rgb)
    np.testing.assert_array_equal(read_cifar10(tmp_path).rgb, rgb)
    cifar_batch(tmp_path, "cifar10_batch_50 (2).png", 255 - rgb)
    with pytest.raises(QuantlibError, match=r"batch_50 \(2\)\.png in .* remove one of them"):
        read_cifar10(tmp_path)


def test_tables_of_cifar10_downloaded_twice(tmp_path: Path) -> None:
    (tmp_path / "plain_text").mkdir()
    files = [png_bytes(one) for one in pictures(3)]
    for name in ("test-00000-of-00001", "test-00000-of-00001 (1)", "train-00000-of-00001"):
        (tmp_path / "plain_text" / f"{name}.parquet").write_bytes(table(files, [1, 2, 3]))
    assert len(read_cifar10(tmp_path)) == len(read_cifar10(tmp_path, "train")) == 3
    other = tmp_path / "plain_text" / "test-00000-of-00001 (2).parquet"
    other.write_bytes(table(files[:1], [1]))
    with pytest.raises(QuantlibError, match="other content than the file"):
        read_cifar10(tmp_path)


@pytest.mark.parametrize("size", [1, 3, 5, 8])
def test_batches_are_the_pictures_in_order(size: int) -> None:
    rgb = pictures(5, 2)
    data = LabelledPictures(rgb, np.arange(5, dtype=np.uint8))
    batches = list(data.batches(size))
    assert [len(x) for x, _ in batches] == [min(size, 5 - at) for at in range(0, 5, size)]
    joined = np.concatenate([x.numpy() for x, _ in batches])
    np.testing.assert_allclose(joined, np.moveaxis(rgb, 3, 1) / 255, rtol=1e-6)
    assert np.concatenate([labels for _, labels in batches]).tolist() == list(range(5))


@pytest.mark.parametrize(
    ("rgb", "labels", "sentence"),
    [
        (np.zeros((2, 4, 4, 3)), np.zeros(2, int), "not float64"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, int), r"uint8 \(N, H, W, 3\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.zeros(3, int), "2 pictures need as many"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2), "whole numbers"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.array([0, -1]), "A label is -1"),
    ],
)
def test_labelled_pictures_that_cannot_be(rgb, labels, sentence) -> None:
    with pytest.raises(QuantlibError, match=sentence):
        LabelledPictures(rgb, labels)
