"""Nothing that a visitor drops, types or puts into an address is opened as a file."""

import ast
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file
from streamlit.testing.v1 import AppTest

from pages.parts.classify.pictures import TITLES as DATA
from pages.parts.recognition.networks import OWN_FILE
from pages.parts.shared.samples import TITLES
from pages.parts.super_resolution.own_network import KEY
from pages.parts.super_resolution.pictures import FIELDS as PICTURE_FIELDS
from quantlib.imaging.reading import png_bytes
from quantlib.imaging.samples import load_sample
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.unet import UNet
from tests.hub_server import use_hub
from tests.pages.code_of_pages import BOUND, BY_CODE, KEYS, calls, given
from tests.pages.test_classify import parquet, weights
from tests.pages.test_pages import PAGES, opened
from tests.pages.watching import Watch, watching

MARKER = "bitlens-out-of-bounds"
HERE, GONE = "here", "gone"  # what the names of files begin with
CAT = png_bytes(load_sample("cat", 48).rgb)
SMALL = png_bytes(load_sample("cat", 24).rgb)  # of a pair


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that would all do, if they were opened."""
    folder = tmp_path_factory.mktemp("files") / MARKER
    folder.mkdir()
    torch.manual_seed(0)
    save_file(EDSR(2, 4, 1).state_dict(), folder / "here-edsr.safetensors")
    save_file(UNet(2, 2).state_dict(), folder / "here-unet.safetensors")
    (folder / "here-resnet.safetensors").write_bytes(weights())
    (folder / "here.png").write_bytes(CAT)
    (folder / "here.parquet").write_bytes(parquet(8))
    return folder


@pytest.fixture
def watch(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Watch]:
    """Watches the folder, which is a home too; there is no Hub."""
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path)
    monkeypatch.setenv("HOME", str(folder))
    with watching(folder) as watch:
        yield watch


def paths(file: Path) -> dict[str, str]:
    """Ways to name a file."""
    up = "/".join([".."] * 30)
    stem = file.with_suffix("")
    return {
        "absolute": str(file),
        "relative": f"{up}{file}",
        "home": f"~/{file.name}",
        "address": f"file://{file}",
        "bits": f"{file}?bits=2",
        "bundled": f"builtin:{stem}",
        "bundled, up": f"builtin:{up}{stem}",
        "bundled, home": f"builtin:~/{stem.name}?bits=2",
        "hub": f"hub:{file}",
        "hub, up": f"hub:acme/{up}{file}",
        "hub, file": f"hub:acme/net:{up}{file}",
        "hub, absolute file": f"hub:acme/net@main:{file}?bits=2",
        "null": f"{file}\0.safetensors",
    }


WAYS = list(paths(Path("/x")))
FIELDS = {
    "workbench": ("network", "edsr", WAYS),
    "importance": ("network", "edsr", ["absolute", "bits"]),
    "memory": ("network", "edsr", ["absolute", "bits"]),
    "rlq": ("network", "edsr", ["absolute", "bits"]),
    "classify": ("classification_network", "resnet", WAYS),
    "segment": ("segmentation_network", "unet", ["absolute", "bundled, up"]),
}


def answer(app: AppTest) -> list[str]:
    """What a page says is wrong, of a file that is here as of one that is not."""
    assert not app.exception
    told = [error.value.replace("\\", "").replace(HERE, GONE) for error in app.error]
    assert all(one.endswith(".") for one in told)
    return told


def test_the_watch_sees_what_python_and_others_open(folder, watch):
    (folder / "here.png").read_bytes()
    assert any(line.startswith("open ") for line in watch.seen())
    list(folder.iterdir())
    assert watch.seen()
    with pytest.raises(FileNotFoundError):
        (folder / "gone.png").open()
    assert watch.seen()
    safe_open(folder / "here-edsr.safetensors", "pt")  # Rust
    assert watch.seen()
    pq.ParquetFile(str(folder / "here.parquet"), memory_map=True)  # C++
    assert watch.seen()
    assert not watch.seen()


@pytest.mark.parametrize(("page", "way"), [(p, way) for p in FIELDS for way in FIELDS[p][2]])
def test_a_network_is_not_named_by_a_path(page, way, folder, watch):
    key, file, _ = FIELDS[page]
    here, gone = (
        answer(opened(page, **{key: paths(folder / f"{one}-{file}.safetensors")[way]}))
        for one in (HERE, GONE)
    )
    assert len(here) == 1 and here == gone
    assert not watch.seen()


VIEWS = ("Learned quantizers", "Transformers", "Bundled networks", "DQA", "Ablation of DQA")
OPENED = [(page.stem, {}) for page in PAGES] + [("results", {"view": view}) for view in VIEWS]


@pytest.mark.parametrize(
    ("page", "query"), OPENED, ids=[" ".join([page, *query.values()]) for page, query in OPENED]
)
def test_no_other_parameter_of_an_address_is_a_path(page, query, folder, watch, few_points):
    others = KEYS - {"network"}
    here, gone = (
        answer(opened(page, **(dict.fromkeys(others, str(folder / f"{one}.png")) | query)))
        for one in (HERE, GONE)
    )
    assert not here and not gone
    assert not watch.seen()


def test_networks_are_all_that_can_be_typed():
    typed = ("text_input", "text_area", "chat_input", "number_input", "data_editor", "multiselect")
    assert not [name for name in typed if any(calls(name))]
    free = [given(call, "key") for call in calls("selectbox") if given(call, "accept_new_options")]
    assert sorted(map(str, free)) == ["'network'", "network_key(task)"]


def test_every_parameter_of_an_address_is_here():
    assert set(BOUND) > BY_CODE and all(one.startswith("'") for one in set(BOUND) - BY_CODE)
    assert {"bits", "data", "card", "super_network", "channel", "one", "train_bits"} < KEYS


OWN_PICTURE = {"picture": TITLES["upload"]}
UPLOADS: dict[str, tuple[str, dict[str, str], str, str]] = {
    **{
        f"picture on {page}": (page, OWN_PICTURE, "upload", ".png")
        for page in ("workbench", "importance", "memory", "rlq", "depth")
    },
    "truth of a pair": ("workbench", OWN_PICTURE | {"role": "pair"}, "original", ".png"),
    "scene": ("segment", {"scene": TITLES["upload"]}, "scene_file", ".png"),
    "network": ("importance", {"network": OWN_FILE}, "network_file", "-edsr.safetensors"),
    "parquet": ("classify", {"data": DATA["file"]}, "parquet", ".parquet"),
    "classifier": (
        *("classify", {"classification_network": OWN_FILE, "data": DATA["file"]}),
        *("classification_file", "-resnet.safetensors"),
    ),
    "segmenter": (
        *("segment", {"segmentation_network": OWN_FILE}),
        *("segmentation_file", "-unet.safetensors"),
    ),
}
PICTURES = [name for name, (*_, suffix) in UPLOADS.items() if suffix == ".png"]
CHECKPOINTS = ["network", "classifier", "segmenter"]


def test_every_upload_is_here():
    (place,) = calls("file_uploader")
    keys = {ast.unparse(call.args[2]) for call in calls("dropped")}
    known = {key for _, _, key, _ in UPLOADS.values()} | {"annotation"}
    by_code = {"key", "KEY"}
    fields = {key for role in PICTURE_FIELDS.values() for key in role}
    expected = {k for k in known if "tion_file" not in k and k != KEY}
    assert {one.strip("'") for one in keys - by_code} | fields == expected
    assert ast.unparse(place.args[0]) == "label"


def dropped(what: str, name: str, content: bytes) -> AppTest:
    page, query, key, _ = UPLOADS[what]
    app = opened(page, **query)
    if key == "original":
        app.file_uploader(key="upload").upload("small.png", SMALL).run()
    app.file_uploader(key=key).upload(name, content).run()
    if what == "classifier" and app.info and app.info[0].value.startswith("No pictures yet"):
        app.file_uploader(key="parquet").upload("some.parquet", parquet(8)).run()
    return app


class Opening:
    """Opens a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path,)


def table_of(cell: pa.Array) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"img": cell, "label": np.arange(len(cell))}), buffer)
    return buffer.getvalue()


def torch_file(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def zip_of(path: str) -> bytes:
    """A checkpoint with one more member, which goes by a path."""
    buffer = io.BytesIO(torch_file({"weight": path}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(path, path)
        archive.writestr("archive/data/0", path)
    return buffer.getvalue()


def struct_of(path: str, /, **types: pa.DataType) -> pa.Array:
    """Eight cells as the Hub has them; of `bytes` and `path` those with a type say the path."""
    rows = [{name: None if t == pa.binary() else path for name, t in types.items()}] * 8
    return pa.array(rows, pa.struct(list(types.items())))


OTHER_WAYS = "relative", "home", "address"
Content = Callable[[str], bytes]
CONTENTS: dict[str, tuple[list[str], str, Content]] = {
    "text": (list(UPLOADS), "", str.encode),
    "SVG": (PICTURES, "", lambda p: f'<svg><image href="file://{p}"/></svg>'.encode()),
    "PostScript": (PICTURES, "", lambda p: f"%!PS-Adobe-3.0 EPSF-3.0\n({p}) run\n".encode()),
    "text cells": (["parquet"], "", lambda p: table_of(struct_of(p, bytes=pa.string()))),
    "text column": (["parquet"], "", lambda p: table_of(pa.array([p] * 8))),
    "bytes of a path": (["parquet"], "", lambda p: table_of(pa.array([{"bytes": p.encode()}] * 8))),
    "path without bytes": (
        *(["parquet"], ""),
        lambda p: table_of(struct_of(p, bytes=pa.binary(), path=pa.string())),
    ),
    "metadata": (CHECKPOINTS, "net.safetensors", lambda p: save({p: torch.ones(1)}, {p: p})),
    "string": (CHECKPOINTS, "net.pth", torch_file),
    "wrapped string": (CHECKPOINTS, "net.pth", lambda p: torch_file({"state_dict": p})),
    "names": (CHECKPOINTS, "net.pt", lambda p: torch_file({p: torch.ones(1), "weight": p})),
    "code": (CHECKPOINTS, "net.bin", lambda p: torch_file({"weight": Opening(p)})),
    "old code": (CHECKPOINTS, "net.th", lambda p: pickle.dumps(Opening(p), 2)),
    "path object": (CHECKPOINTS, "net.ckpt", lambda p: torch_file({"weight": Path(p)})),
    "zip": (CHECKPOINTS, "net.pth", zip_of),
}


@pytest.mark.parametrize(
    ("what", "kind", "way"),
    [
        *((what, kind, "absolute") for kind in CONTENTS for what in CONTENTS[kind][0]),
        *(("picture on workbench", "text", way) for way in OTHER_WAYS),
        *(("parquet", "text cells", way) for way in OTHER_WAYS),
        *(("classifier", "wrapped string", way) for way in OTHER_WAYS),
    ],
)
def test_a_path_inside_a_file_is_one_sentence(what, kind, way, folder, watch):
    _, name, content = CONTENTS[kind]
    suffix = UPLOADS[what][3]
    here, gone = (
        answer(dropped(what, name or f"my{suffix}", content(paths(folder / f"{one}{suffix}")[way])))
        for one in (HERE, GONE)
    )
    assert len(here) == 1 and here == gone
    assert not watch.seen()


def test_a_path_in_an_annotation_is_one_sentence(folder, watch):
    app = dropped("scene", "cat.png", CAT)
    here, gone = (
        answer(
            app.file_uploader(key="annotation")
            .upload("numbers.png", str(folder / f"{one}.png").encode(), "image/png")
            .run()
        )
        for one in (HERE, GONE)
    )
    assert len(here) == 1 and here == gone
    assert not watch.seen()


@pytest.mark.parametrize(
    ("what", "way"),
    [
        *((what, "absolute") for what in UPLOADS),
        *(("scene", way) for way in (*OTHER_WAYS, "backslashes", "long", "dots")),
        *(("classifier", way) for way in (*OTHER_WAYS, "backslashes", "long", "dots")),
    ],
)
def test_a_path_as_the_name_of_a_file_is_only_a_name(what, way, folder, watch, few_points):
    file = folder / f"{HERE}{UPLOADS[what][3]}"
    content = file.read_bytes()
    assert watch.seen()
    odd = {
        "backslashes": str(file).replace("/", "\\"),
        "long": f"{'x' * 400}{file.suffix}",
        "dots": f"..{file.name}",
    }
    app = dropped(what, odd.get(way) or paths(file)[way], content)
    assert not answer(app)
    if way != "backslashes":  # which are no folders here
        assert MARKER not in str([one.value for one in [*app.caption, *app.code, *app.markdown]])
    assert not watch.seen()
