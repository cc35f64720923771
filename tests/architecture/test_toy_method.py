"""A method of one's own: a quantizer and an entry on the shelf. All others find it there."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest
from torch import Tensor

from quantlib.ablation.plan import AblationPlan
from quantlib.cli import main, parser
from quantlib.cli.verbs import verbs
from quantlib.imaging.samples import load_sample
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings, Site
from quantlib.ptq.methods import METHODS, Method, Variant
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import by_channel, largest_magnitude, step_size
from quantlib.quantizers.uniform import UniformQuantizer
from quantlib.tasks.bench import BenchPlan
from tests.architecture.imports import ROOT

MOST_COMPARISONS = 4
pytestmark = pytest.mark.usefixtures("little_work")


@dataclass(frozen=True, eq=False)
class SymmetricQuantizer(UniformQuantizer):
    """As many levels above zero as below: the lowest code stays unused; ternary at 2 bits."""

    def _codes(self, x: Tensor) -> Tensor:
        return super()._codes(x).clamp_(-self.bitwidth.qmax)


def fit(site: Site, x: Tensor, settings: Settings, mask: Tensor | None) -> SymmetricQuantizer:
    bitwidth = BitWidth(settings.bits)
    step = step_size(largest_magnitude(x, site.channel_dim), bitwidth.qmax)
    return SymmetricQuantizer(step, bitwidth, site.channel_dim)


SYMMETRIC = Method(
    "symmetric",
    "Symmetric",
    "symmetric",
    "As many levels above zero as below.",
    ("bits",),
    fit=fit,
    variants=(Variant("symmetric", "symmetric levels", rates=(2, 3), symbol="cross"),),
)


@pytest.fixture(autouse=True)
def shelf(monkeypatch) -> None:
    monkeypatch.setitem(METHODS, SYMMETRIC.name, SYMMETRIC)


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("network") / "net.safetensors"
    torch.manual_seed(0)
    save_file(EDSR(2, features=4, blocks=1).state_dict(), file)
    return file


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=280)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error
    return app


def test_the_quantizer_is_what_it_says():
    x = torch.randn(2, 5, 7, 3, generator=torch.Generator().manual_seed(1))
    site = Site("one", channel_dim=1, channels=5, nonnegative=False, layers=())
    ternary = fit(site, x, Settings("symmetric", 2), None)
    values, peaks = by_channel(ternary(x), 1), by_channel(x, 1).abs().amax(1)
    for row, peak in zip(values, peaks, strict=True):
        assert set(row.tolist()) == {-peak.item(), 0.0, peak.item()}
    torch.testing.assert_close(ternary.encode(x).decode(), ternary(x))


@pytest.mark.parametrize("verb", ["upscale", "evaluate", "classify", "segment"])
def test_the_command_line_offers_it(verb):
    assert verb in verbs() and "symmetric" in parser(verb).format_help()


def test_the_command_line_runs_it(network, tmp_path, capsys):
    Image.fromarray(np.ascontiguousarray(load_sample("cat", 64).rgb)).save(tmp_path / "cat.png")
    found = {}
    for method in ("symmetric", "direct"):
        words = ["--model", str(network), "--sample", str(tmp_path / "cat.png"), "--scale", "2"]
        assert main(["evaluate", *words, "--method", method, "--bits", "2", "--json"]) == 0
        found[method] = json.loads(capsys.readouterr().out)
    assert found["symmetric"]["bytes"] == found["direct"]["bytes"]
    assert found["symmetric"]["psnr_y"] != found["direct"]["psnr_y"]


def test_settings_know_its_options_and_its_line():
    settings = Settings("symmetric", 3)
    assert settings.flags() == ["--method", "symmetric", "--bits", "3"]
    assert (settings.summary, settings.family) == ("3-bit symmetric", "symmetric levels")


def test_the_ablation_tries_it():
    plan = AblationPlan((BenchPlan("digits", "classification", "builtin:resnet-digits", "digits"),))
    tried = [trial.settings for trial in plan.trials() if trial.method == "symmetric"]
    assert tried == [Settings("symmetric", bits) for bits in plan.uniform_bits]


@pytest.mark.parametrize("page", ["workbench", "classify", "segment"])
def test_pages_offer_it(page):
    assert SYMMETRIC.title in opened(page).selectbox(key="method").options


def test_the_workbench_shows_it_and_how_to_reproduce_it():
    app = opened("workbench", method=SYMMETRIC.title, picture="Cat", bits="3")
    assert app.subheader[0].value.startswith("3-bit symmetric keeps ")
    command, lines = (code.value for code in app.code[:2])
    assert "--method symmetric --bits 3" in command
    assert "Settings(method='symmetric', bits=3" in lines


def test_the_memory_page_measures_it(monkeypatch):
    for name in METHODS.keys() - {SYMMETRIC.name, "fp32", "direct", "dqa"}:
        monkeypatch.delitem(METHODS, name)
    points = opened("memory", picture="Cat").dataframe[0].value
    own = points[points["method"] == "symmetric levels"]
    assert sorted(own["n in bits"]) == [2, 3]
    assert min(own["PSNR in dB"]) > 0
    assert max(own["total in bytes"] / own["FP32 in bytes"]) < 1


def comparisons() -> Iterator[str]:
    """Where a value is compared with a method's literal name, outside the shelf."""
    files = [ROOT / "app.py", *ROOT.glob("pages/**/*.py"), *ROOT.glob("quantlib/**/*.py")]
    names = METHODS.keys() - {SYMMETRIC.name}
    for file in sorted(set(files) - {ROOT / "quantlib" / "ptq" / "methods.py"}):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and names & set(_constants(node)):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"


def _constants(compared: ast.Compare) -> Iterator[object]:
    for side in (compared.left, *compared.comparators):
        parts = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
        yield from (part.value for part in parts if isinstance(part, ast.Constant))


def test_nobody_outside_the_shelf_asks_for_a_name(say):
    found = list(comparisons())
    say(f"{len(found)} comparisons with a method's name outside the shelf")
    for one in found:
        say(f"  {one}")
    assert len(found) <= MOST_COMPARISONS
