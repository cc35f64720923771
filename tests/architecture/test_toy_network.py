"""A family of networks that comes from outside is found everywhere, without another file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from spandrel.architectures.RCAN import RCAN
from torch import Tensor, nn

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.imaging.samples import load_sample
from quantlib.models import architectures, load, load_classifier
from quantlib.models.architecture import Architecture, SRTraining, Training
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.card import CLASSIFICATION, SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Classifier
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.depth import DepthDynamic
from quantlib.qat.scheme import Scheme
from quantlib.training.recognition.recipe import RecognitionRecipe
from quantlib.training.recognition.run import fresh_recogniser
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import train_recipe


class ToyBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.toy = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.toy.weight)
        nn.init.zeros_(self.toy.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.toy(x)


class Toy(DepthDynamic):
    """Nearest neighbour with a correction."""

    def __init__(self, scale: int, blocks: int = 1) -> None:
        super().__init__()
        self.scale = scale
        self.toys = nn.Sequential(*(ToyBlock() for _ in range(blocks)))
        self.last = nn.Upsample(scale_factor=scale)
        self.register_buffer("enlarges", torch.tensor(scale))

    @property
    def residual_blocks(self) -> list[Any]:
        return list(self.toys)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.toys(x))


def toy_of(checkpoint: Checkpoint) -> SRNetwork:
    scale = int(checkpoint.weights["enlarges"])
    if scale > 4:
        raise QuantlibError(f"{checkpoint.name} is too large a toy; choose a smaller one.")
    network = Toy(scale, sum(name.endswith("toy.weight") for name in checkpoint.weights))
    network.load_state_dict(dict(checkpoint.weights))
    return SRNetwork(network, "Toy", scale, receptive_radius=len(network.toys))


TOY = Architecture(
    "Toy",
    SUPER_RESOLUTION,
    lambda weights: "enlarges" in weights,
    toy_of,
    recognised="toys of this test",
    training=SRTraining(
        "toy",
        lambda sizes: Toy(sizes.scale, sizes.blocks),
        lambda network, scheme, placement: {"toys.0.toy": scheme},
        lambda placement: "the first toy",
        depth_dynamic="Toys",
    ),
)


def toy_classifier(*_: object) -> Classifier:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    return Classifier(network, "Toy", 2)


TOY_CLASSIFIER = Architecture(
    "Toy",
    CLASSIFICATION,
    lambda weights: weights.keys() == {"2.weight", "2.bias"},
    toy_classifier,
    training=Training("Toy", toy_classifier),
)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(architectures, "_SHELF", list(architectures._SHELF))
    architectures.register(TOY)
    architectures.register(TOY_CLASSIFIER)
    yield


@pytest.fixture
def toy(shelf: None, tmp_path: Path) -> str:
    torch.save({"params": Toy(3, 3).state_dict()}, tmp_path / "toy.pth")
    return str(tmp_path / "toy.pth")


def test_a_toy_loads_by_its_file(toy: str) -> None:
    network = load(toy)
    assert (network.architecture, network.scale, network.receptive_radius) == ("Toy", 3, 3)
    assert (network.name, len(network.sha256)) == (toy, 64)
    x = torch.rand(1, 3, 4, 5)
    assert torch.equal(network(x), x.repeat_interleave(3, 2).repeat_interleave(3, 3))


def test_a_toy_classifier_loads_by_its_file(shelf: None, tmp_path: Path) -> None:
    torch.save(toy_classifier().network.state_dict(), tmp_path / "toy.th")
    assert load_classifier(str(tmp_path / "toy.th")).architecture == "Toy"


def test_a_toy_stands_among_what_is_recognised(shelf: None, tmp_path: Path) -> None:
    torch.save({"other.weight": torch.zeros(3)}, tmp_path / "net.pth")
    with pytest.raises(
        QuantlibError, match=r"recognised are toys of this test, .*ONNX, QuantSR-C .*EDSR"
    ):
        load(str(tmp_path / "net.pth"))
    with pytest.raises(QuantlibError, match="recognised are Toy, ResNet-20"):
        load_classifier(str(tmp_path / "net.pth"))


def test_a_toy_enlarges_a_picture_on_the_command_line(toy: str, tmp_path: Path) -> None:
    small = load_sample("cat", 24).rgb
    Image.fromarray(small).save(tmp_path / "in.png")
    arguments = ["upscale", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--model", toy]
    assert main(arguments) == 0
    result = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.array_equal(result, small.repeat(3, 0).repeat(3, 1))


def test_recipes_train_a_toy(shelf: None, tmp_path: Path) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    Image.fromarray(load_sample("cat", 96).rgb).save(photographs / "cat.png")
    recipe = Recipe("toy", 2, blocks=2, architecture="toy", steps=2, batch=2, patch=8, method="rlq")
    report = train_recipe(recipe, [photographs], tmp_path / "out")
    card = json.loads((tmp_path / "out" / "toy.json").read_text())
    assert (card["architecture"], card["training"]["layers"]) == ("Toy", "the first toy")
    assert card["title"] == "Toy with RLQ ×2, W4A4 (bundled)"
    network = load(report["weights"])
    assert (network.architecture, network.is_quantized) == ("Toy", True)
    with pytest.raises(QuantlibError, match="choose toy or edsr or swinir"):
        Recipe("r", 2, architecture="other")
    with pytest.raises(QuantlibError, match="belong to a network with attention"):
        Recipe("r", 2, architecture="toy", products=True)


def test_recipes_train_a_toy_classifier(shelf: None) -> None:
    recipe = RecognitionRecipe("toy", CLASSIFICATION, "Toy", "digits")
    assert fresh_recogniser(recipe, 2, 32).architecture == "Toy"
    with pytest.raises(QuantlibError, match="known for classification are Toy, ResNet, Mob"):
        RecognitionRecipe("toy", CLASSIFICATION, "Other", "digits")


def test_when_one_refuses_the_next_is_asked(shelf: None, tmp_path: Path) -> None:
    """RCAN has the names of an EDSR's head and tail; spandrel knows it."""
    original = RCAN(n_resgroups=1, n_resblocks=1, n_feats=8, reduction=2, scale=2).eval()
    torch.save(original.state_dict(), tmp_path / "rcan.pth")
    network = load(str(tmp_path / "rcan.pth"))
    assert (network.architecture, network.scale) == ("RCAN", 2)
    x = torch.rand(1, 3, 8, 9)
    given = x.clone()
    with torch.inference_mode():
        torch.testing.assert_close(network(x), original(given.clone()), rtol=0, atol=1e-5)
    assert torch.equal(x, given), "spandrel's RCAN writes on its input"


def test_when_all_refuse_the_first_says_why(shelf: None, tmp_path: Path) -> None:
    weights = {**EDSR(2, 4, 1).state_dict(), "enlarges": torch.tensor(5)}
    torch.save(weights, tmp_path / "net.pth")
    with pytest.raises(QuantlibError, match="is too large a toy"):
        load(str(tmp_path / "net.pth"))


def test_the_shelf_imports_nothing_that_only_some_need() -> None:
    heavy = ("spandrel", "torchvision", "timm", "einops")
    code = (
        "import sys; from quantlib.models.architectures import recognised\n"
        "print(recognised('super-resolution'))\n"
        f"assert not {{*{heavy!r}}} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "networks exported as ONNX, QuantSR-C as its authors save it, EDSR, PAN, SwinIR, Swin2SR "
        "as transformers saves it and the architectures of spandrel\n"
    )


def test_placing_a_scheme_is_the_familys(shelf: None) -> None:
    training = Recipe("r", 2, architecture="toy").training
    assert training.schemes(Toy(2), Scheme(), Recipe("r", 2)) == {"toys.0.toy": Scheme()}
