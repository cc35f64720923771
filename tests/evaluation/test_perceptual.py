"""LPIPS where weights are on this machine; here they are random, which changes no formula."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics
from torch import Tensor
from torchvision.models import squeezenet1_1

from quantlib.evaluation import perceptual
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.perceptual import BACKBONES, backbone, lpips
from quantlib.tasks.super_resolution import Measurement

TAPS = (1, 4, 7, 9, 10, 11, 12)  # layers of SqueezeNet that LPIPS looks at
SHIFT, SPREAD = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (folder := tmp_path / "checkpoints").mkdir()
    return folder


def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (44, 40, 3)).astype(np.uint8)
    return a, np.clip(a + rng.normal(0, 20, a.shape), 0, 255).astype(np.uint8)


def by_hand(features: torch.nn.Sequential, a: np.ndarray, b: np.ndarray) -> float:
    """Equation 1 of the paper, with the heads that torchmetrics brings."""
    file = Path(torchmetrics.__file__).parent / "functional/image/lpips_models/squeeze.pth"
    heads = torch.load(file, "cpu", weights_only=True)
    total, x, y = 0.0, *map(prepared, (a, b))
    for number, layer in enumerate(features):
        x, y = layer(x), layer(y)
        if number in TAPS:
            difference = (unit(x) - unit(y)) ** 2
            weights = heads[f"lin{TAPS.index(number)}.model.1.weight"]
            total += float((weights * difference).sum(1).mean())
    return total


def prepared(rgb: np.ndarray) -> Tensor:
    x = torch.from_numpy(rgb).float() / 127.5 - 1
    return ((x - SHIFT) / SPREAD).permute(2, 0, 1)[None]


def unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-8)


def test_it_is_measured_where_the_weights_are_and_only_there(checkpoints, monkeypatch):
    a, b = pair()
    made = Measurement(b, Ledger({}), 0.1, 2, a)
    assert backbone() is None and lpips(a, b, 2) is None and made.lpips is None
    torch.manual_seed(0)
    network = squeezenet1_1(weights=None).eval()
    torch.save(network.state_dict(), checkpoints / BACKBONES["squeeze"].file)
    assert backbone() == "squeeze"
    with torch.inference_mode():
        expected = by_hand(network.features, a[2:-2, 2:-2], b[2:-2, 2:-2])
    assert lpips(a, b, 2) == pytest.approx(expected, rel=1e-4)
    assert lpips(a, b, 2) == lpips(a, b, 2) and lpips(a, a, 2) == 0
    assert Measurement(b, Ledger({}), 0.1, 2, a).lpips == lpips(b, a, 2)
    assert Measurement(b, Ledger({}), 0.1, 2).lpips is None
    assert math.isnan(lpips(a, b, 5) or 0)
    (checkpoints / BACKBONES["alex"].file).touch()
    assert backbone() == "alex"
    monkeypatch.setattr(perceptual, "find_spec", lambda name: None)
    assert backbone() is None


def test_the_files_are_those_that_torchvision_asks_for():
    from torchvision.models import AlexNet_Weights, SqueezeNet1_1_Weights

    asked = {"alex": AlexNet_Weights.DEFAULT, "squeeze": SqueezeNet1_1_Weights.DEFAULT}
    for name, weights in asked.items():
        assert weights.url.endswith(f"/{BACKBONES[name].file}")
        assert weights.meta["_file_size"] == pytest.approx(BACKBONES[name].megabytes, rel=0.02)
