"""Every Reproduce panel: its lines and its command run, and give the numbers of the page."""

import ast
import builtins
import json
import re
import shlex

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from pages.parts.classify.pictures import TITLES as DATA
from pages.parts.recognition.networks import OWN_FILE
from pages.parts.shared.samples import TITLES
from pages.parts.speed import choosing
from pages.parts.super_resolution.reproduce import HIGH, LOW, MEMBER
from pages.parts.tour.stops import STOPS
from quantlib.cli import main, parser
from quantlib.imaging.reading import png_bytes
from quantlib.imaging.samples import load_sample
from quantlib.models.architectures.unet import UNet
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS, names
from quantlib.tasks.super_resolution import reduced
from quantlib.tasks.task import TASKS
from tests.hub_server import HubServer, use_hub
from tests.pages.test_classify import parquet, weights
from tests.pages.test_pages import PAGES, ROOT, fine, opened

OWN = {"picture": TITLES["upload"]}
SMALL_CUP, CUP = (png_bytes(rgb) for rgb in reduced(load_sample("coffee", 48).rgb, 2))
NAMES = {
    "upload": "my cup's.png",
    "original": "my large cup's.png",
    "scene_file": "a street [1].png",
    "parquet": "some $pictures.parquet",
    "classification_file": "my net; v2.safetensors",
    "segmentation_file": "my net; v2.safetensors",
}
PANELS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "workbench": ("workbench", {"picture": "Cat"}, ()),
    "workbench, RLQ": ("workbench", {"picture": "Cat", "method": "RLQ", "depth": "Half"}, ()),
    "workbench, own truth": ("workbench", OWN, ("upload",)),
    "workbench, own input": ("workbench", OWN | {"role": "input"}, ("upload",)),
    "workbench, own pair": ("workbench", OWN | {"role": "pair"}, ("upload", "original")),
    "compare": ("compare", {"picture": "Cat", "method": "Direct"}, ()),
    "importance": ("importance", {"picture": "Cat"}, ()),
    "memory": ("memory", OWN, ("upload",)),
    "rlq": ("rlq", {"picture": "Cat", "kind": "Weights"}, ()),
    "rlq, own truth": ("rlq", OWN, ("upload",)),
    "rlq, own input": ("rlq", OWN | {"role": "input"}, ("upload",)),
    "depth, own truth": ("depth", OWN | {"blocks": "4"}, ("upload",)),
    "depth, own input": ("depth", OWN | {"blocks": "4", "role": "input"}, ("upload",)),
    "results": ("results", {}, ()),
    "results, transformers": ("results", {"view": "Transformers"}, ()),
    "results, FP32": ("results", {"view": "Bundled networks"}, ()),
    "results, W4A4": (
        "results",
        {"view": "Bundled networks", "card": "builtin:quantsr-c-x2-w4a4"},
        (),
    ),
    "speed": ("speed", {"picture": "Cat", "rounds": "3"}, ()),
    "results, DQA": ("results", {"view": "DQA"}, ()),
    "results, ablation": ("results", {"view": "Ablation of DQA"}, ()),
    "classify": ("classify", {"count": "100"}, ()),
    "classify, CIFAR-10": (
        "classify",
        {"count": "100", "data": DATA["cifar10"], "classification_network": OWN_FILE},
        ("classification_file",),
    ),
    "classify, own": (
        "classify",
        {"data": DATA["file"], "classification_network": OWN_FILE},
        ("classification_file", "parquet"),
    ),
    "segment": ("segment", {"scene": "Cat"}, ()),
    "segment, own": (
        "segment",
        {"scene": TITLES["upload"], "segmentation_network": OWN_FILE},
        ("scene_file", "segmentation_file"),
    ),
}
PANELS |= {
    f"tour, {number}": ("tour", {"picture": "Cat", "stop": str(number), "shown": "true"}, ())
    for number in range(1, len(STOPS) + 1)
}
WITHOUT_PANEL = {"exercises", "glossary"}  # they measure nothing
WITHOUT_DATA = "results, FP32", "results, W4A4"  # their command names folders of Set5


def content_of(key: str, name: str) -> bytes:
    torch.manual_seed(0)
    match key:
        case "upload" if "pair" in name:
            return SMALL_CUP
        case "parquet":
            return parquet(8)
        case "classification_file":
            return weights()
        case "segmentation_file":
            return save(UNet(3, 2).state_dict())
    return CUP


@pytest.fixture(params=PANELS)
def panel(request, tmp_path, monkeypatch, few_points):
    """A page as a visitor has it, and a folder with what the visitor dropped and downloaded."""
    name = request.param
    page, query, uploads = PANELS[name]
    monkeypatch.setattr(choosing, "SIDES", (32, 64))
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "hub")
        split = "plain_text/{}-00000-of-00001.parquet".format
        server.add("uoft-cs/cifar10", {split("train"): parquet(250), split("test"): parquet(100)})
        app = opened(page, **query)
        for key in uploads:
            content = content_of(key, name)
            (tmp_path / NAMES[key]).write_bytes(content)
            app.file_uploader(key=key).upload(NAMES[key], content).run()
        assert fine(app)
        labels = [str(one.label) for one in app.get("download_button")]  # type: ignore
        if offered := [one.split()[1] for one in labels if "picture as it was used" in one]:
            (tmp_path / offered[0].rstrip(",")).write_bytes(CUP)
        if "pair" in name:
            for folder, content in ((LOW, SMALL_CUP), (HIGH, CUP)):
                (tmp_path / folder).mkdir()
                (tmp_path / folder / MEMBER).write_bytes(content)
        monkeypatch.chdir(tmp_path)
        yield name, app


def codes(app: AppTest, language: str) -> list[str]:
    return [code.value for code in app.code if code.language == language]


def imports(tree: ast.Module) -> list[ast.stmt]:
    return [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]


def undefined(tree: ast.Module) -> set[str]:
    """The names that are read and nowhere given a value."""
    known = set(dir(builtins))
    for node in ast.walk(tree):
        match node:
            case ast.alias(name=name, asname=alias):
                known.add(alias or name)
            case ast.FunctionDef(name=name, args=arguments):
                known |= {name, *(one.arg for one in arguments.args)}
            case ast.Name(id=name, ctx=ast.Store()):
                known.add(name)
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - known


def numbers(text: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+\.\d+", text)]


def test_every_page_has_its_panel_here():
    pages = {path.stem for path in PAGES} - WITHOUT_PANEL
    assert {page for page, *_ in PANELS.values()} == pages


def test_the_lines_and_the_command_give_the_numbers_of_the_page(panel, capsys):
    name, app = panel
    lines, commands = codes(app, "python"), codes(app, "bash")
    assert lines
    for one in lines:
        tree = ast.parse(one)
        exec(compile(ast.Module(imports(tree), []), name, "exec"), {})
        assert not undefined(tree)
    capsys.readouterr()
    exec(lines[0], {})
    printed = capsys.readouterr().out
    assert printed
    said = " ".join(element.value for element in [*app.subheader, *app.markdown])
    if name.startswith(("workbench", "depth", "classify", "segment")) and "input" not in name:
        assert f"{numbers(printed)[0]:.2f}" in said
    if name in ("tour, 7", "tour, 9"):
        assert f"**{numbers(printed)[0]:.2f} " in said
    if name.startswith("rlq"):
        assert f"{numbers(printed)[1]:.2f} dB" in said
    for one in commands:
        first, *words = shlex.split(one)
        if first == "make":
            assert f"\n{words[0]}:" in (ROOT / "Makefile").read_text("utf-8")
            continue
        assert [first, *words[:2]] == ["python", "-m", "quantlib"]
        parser(words[2]).parse_args(words[3:])
        if name in WITHOUT_DATA:
            continue
        assert main([*words[2:], *({"--json"} - set(words))]) == 0
        report = json.loads(capsys.readouterr().out)
        figure = report.get("psnr_y") or report.get("accuracy")
        if name.startswith(("workbench", "depth", "classify")) and "input" not in name:
            assert f"{figure:.2f}" in said


@pytest.mark.parametrize("method", METHODS)
def test_every_verb_takes_the_flags_of_every_method(method):
    model = ["--model", "builtin:edsr-x2", *Settings(method).flags(), "--json"]
    parser("evaluate").parse_args(["--sample", "cat", "--scale", "2", *model])
    parser("upscale").parse_args(["input.png", "result.png", *model])
    for task in TASKS.values():
        if method in names(learned=False) and task.verb != "evaluate":
            parser(task.verb).parse_args(["--data", "digits", *model])
