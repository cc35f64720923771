import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from quantlib.errors import QuantlibError
from quantlib.models import Classifier, load_classifier
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.mobilenetv2 import mobilenet
from quantlib.models.architectures.resnet import resnet
from quantlib.models.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from tests.hub_server import HubServer, use_hub


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def pickled(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def with_statistics(network: nn.Module) -> nn.Module:
    """Running means and variances that a wrong order of layers could not hide behind."""
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = 0.2 * torch.randn_like(module.running_mean)  # type: ignore
            module.running_var = 0.5 + torch.rand_like(module.running_var)  # type: ignore
    return network.eval()


def norm(x: Tensor, weights: Mapping[str, Tensor], name: str) -> Tensor:
    """Batch normalisation as the formula says."""
    mean, var, gamma, beta = (
        weights[f"{name}.{part}"].view(-1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * gamma + beta


def cifar_resnet_by_hand(x: Tensor, weights: Mapping[str, Tensor], blocks: int) -> Tensor:
    """He et al., section 4.2, from the weights alone; option A written as slices and zeros."""
    mean, std = (torch.tensor(c).view(3, 1, 1) for c in (IMAGENET_MEAN, IMAGENET_STD))
    x = F.relu(norm(F.conv2d((x - mean) / std, weights["conv1.weight"], padding=1), weights, "bn1"))
    for stage in (1, 2, 3):
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = F.conv2d(x, weights[f"{name}.conv1.weight"], stride=stride, padding=1)
            y = F.relu(norm(y, weights, f"{name}.bn1"))
            y = norm(
                F.conv2d(y, weights[f"{name}.conv2.weight"], padding=1), weights, f"{name}.bn2"
            )
            if stride == 2:
                kept = x[:, :, 0::2, 0::2]
                empty = torch.zeros(len(x), kept.shape[1] // 2, *kept.shape[2:])
                x = torch.cat([empty, kept, empty], dim=1)
            x = F.relu(x + y)
    return F.linear(x.flatten(2).mean(2), weights["linear.weight"], weights["linear.bias"])


@pytest.mark.parametrize(("blocks", "features", "classes"), [(1, 4, 10), (3, 16, 10), (2, 6, 7)])
@pytest.mark.parametrize("form", ["th", "safetensors"])
def test_cifar_resnet_against_the_paper(tmp_path, blocks, features, classes, form) -> None:
    weights = with_statistics(CifarResNet(blocks, features, classes)).state_dict()
    path = tmp_path / f"net.{form}"
    prefixed = {f"module.{name}": value for name, value in weights.items()}
    path.write_bytes(
        pickled({"state_dict": prefixed, "best_prec1": 92.6})
        if form == "th"
        else save_safetensors(weights)
    )
    classifier = load_classifier(str(path))
    x = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(
        classifier(x), cifar_resnet_by_hand(x, weights, blocks), rtol=1e-4, atol=1e-4
    )
    assert classifier.architecture == f"ResNet-{6 * blocks + 2}"
    assert (classifier.classes, classifier.source, classifier.commit) == (classes, str(path), None)
    assert len(classifier.sha256) == 64
    assert not classifier.training
    assert not any(p.requires_grad for p in classifier.parameters())


def mobilenet_by_hand(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Inverted residuals from the weights alone; only two stages and one more halve the sides."""
    halved = {4, 7, 14}
    x = F.relu6(
        norm(F.conv2d(x, weights["features.0.0.weight"], padding=1), weights, "features.0.1")
    )
    for block in range(1, 18):
        name, y = f"features.{block}.conv", x
        if block > 1:
            y = F.relu6(norm(F.conv2d(y, weights[f"{name}.0.0.weight"]), weights, f"{name}.0.1"))
        at = 1 if block > 1 else 0
        depthwise = weights[f"{name}.{at}.0.weight"]
        y = F.conv2d(y, depthwise, None, 2 if block in halved else 1, 1, groups=len(depthwise))
        y = F.relu6(norm(y, weights, f"{name}.{at}.1"))
        y = norm(F.conv2d(y, weights[f"{name}.{at + 1}.weight"]), weights, f"{name}.{at + 2}")
        x = x + y if y.shape == x.shape else y
    x = F.relu6(norm(F.conv2d(x, weights["features.18.0.weight"]), weights, "features.18.1"))
    return F.linear(x.mean((2, 3)), weights["classifier.1.weight"], weights["classifier.1.bias"])


@pytest.mark.parametrize(("width", "classes"), [(0.1, 10), (0.2, 3)])
def test_mobilenet_against_the_paper(tmp_path, width, classes) -> None:
    weights = with_statistics(mobilenet(classes, width)).state_dict()
    path = tmp_path / "net.pt"
    path.write_bytes(pickled(weights))
    plain = Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    classifier = load_classifier(str(path), plain)
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(classifier(x), mobilenet_by_hand(x, weights), rtol=1e-4, atol=1e-4)
    assert (classifier.architecture, classifier.classes) == ("MobileNetV2", classes)


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 2_236_682), (0.5, 700_490)])
def test_mobilenet_has_the_parameters_of_others(width, parameters) -> None:
    """Of the CIFAR-10 models of chenyaofo/pytorch-cifar-models: 2.24 M and 0.70 M."""
    assert sum(p.numel() for p in mobilenet(10, width).parameters()) == parameters


@pytest.mark.parametrize(("blocks", "parameters"), [(3, 269_722), (5, 464_154)])
def test_cifar_resnet_has_the_parameters_of_the_paper(blocks, parameters) -> None:
    """0.27 M and 0.46 M in table 6."""
    assert sum(p.numel() for p in CifarResNet(blocks).parameters()) == parameters


TIMM = {
    "architecture": "resnet18",
    "num_classes": 5,
    "pretrained_cfg": {
        "input_size": [3, 64, 64],
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.25, 0.3],
        "crop_pct": 0.8,
    },
}


@pytest.mark.parametrize(("block", "name"), [(BasicBlock, "ResNet-10"), (Bottleneck, "ResNet-14")])
def test_a_resnet_of_timm_from_the_hub(server: HubServer, block, name) -> None:
    original = with_statistics(ResNet(block, [1, 1, 1, 1], num_classes=5))
    files = {
        "model.safetensors": save_safetensors(original.state_dict()),
        "config.json": json.dumps(TIMM).encode(),
        "README.md": b"---\nlicense: apache-2.0\n---\n",
    }
    commit = server.add("timm/small", files)
    classifier = load_classifier("hub:timm/small")
    assert classifier.preprocessing == Preprocessing(64, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), 0.8)
    assert (classifier.commit, classifier.licence) == (commit, "apache-2.0")
    assert (classifier.architecture, classifier.classes) == (name, 5)
    x = torch.rand(2, 3, 64, 64)
    mean, std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
    with torch.no_grad():
        wanted = original(((x.movedim(1, 3) - mean) / std).movedim(3, 1))
    torch.testing.assert_close(classifier(x), wanted, rtol=1e-4, atol=1e-4)


def test_a_repository_without_config(server: HubServer) -> None:
    server.add("me/net", {"model.safetensors": save_safetensors(CifarResNet(1, 4).state_dict())})
    assert load_classifier("hub:me/net").preprocessing == Preprocessing()


def test_the_stem_decides_about_the_size(tmp_path: Path) -> None:
    for stem, size in ((3, 32), (7, 224)):
        path = tmp_path / "net.safetensors"
        path.write_bytes(save_safetensors(resnet([1, 1, 1, 1], 4, stem=stem).state_dict()))
        classifier = load_classifier(str(path))
        assert classifier.preprocessing.size == size
        assert classifier.network.conv1.stride == ((1, 1) if stem == 3 else (2, 2))


def test_preparing_is_what_torchvision_does() -> None:
    from torchvision.transforms.v2 import CenterCrop, Compose, Resize

    rgb = np.random.default_rng(0).integers(0, 256, (90, 133, 3), np.uint8)
    found = Preprocessing(64, crop=0.8)(rgb)
    usual = Compose([Resize(80, interpolation=3, antialias=True), CenterCrop(64)])
    wanted = np.asarray(usual(Image.fromarray(rgb)))
    np.testing.assert_array_equal((found[0] * 255).round().byte().movedim(0, 2), wanted)
    small = rgb[:32, :32]
    assert torch.equal(Preprocessing()(small)[0], torch.from_numpy(small).movedim(2, 0) / 255)


def without(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key: value for key, value in weights.items() if key != name}


def test_sentences(tmp_path: Path) -> None:
    weights = CifarResNet(1, 4).state_dict()
    option_b = {**weights, "layer2.0.shortcut.0.weight": torch.ones(8, 4, 1, 1)}
    for content, sentence in [
        (without(weights, "layer2.0.bn1.bias"), r"net\.th lacks layer2\.0\.bn1\.bias"),
        ({**weights, "linear.weight": torch.ones(10, 3)}, "do not fit together"),
        (option_b, "option B"),
        ({"other.weight": torch.ones(3)}, "no classification network that is recognised"),
    ]:
        path = tmp_path / "net.th"
        path.write_bytes(pickled(content))
        with pytest.raises(QuantlibError, match=sentence):
            load_classifier(str(path))
    with pytest.raises(QuantlibError, match="There is no bundled network"):
        load_classifier("builtin:resnet-999")
    with pytest.raises(QuantlibError, match="does not name a network"):
        load_classifier("resnet20")
    with pytest.raises(QuantlibError, match="no classification network that is recognised"):
        load_classifier("builtin:edsr-x2")


@pytest.mark.parametrize("config", ["{", "[]", '{"pretrained_cfg": {"mean": [1]}}'])
def test_a_damaged_config(tmp_path: Path, config: str) -> None:
    (tmp_path / "net.safetensors").write_bytes(save_safetensors(CifarResNet(1, 4).state_dict()))
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(QuantlibError, match="does not say how pictures are prepared"):
        load_classifier(str(tmp_path / "net.safetensors"))


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"std": (0.0, 1.0, 1.0)}, {"mean": (0.5,)}, {"crop": 1.5}]
)
def test_preprocessing_that_cannot_be(wrong) -> None:
    with pytest.raises(QuantlibError, match="preprocessing needs"):
        Preprocessing(**wrong)


def test_a_classifier_gives_its_logits_back_unchanged() -> None:
    network = CifarResNet(1, 4)
    classifier = Classifier(network, "ResNet-8", 10)
    x = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(c).view(3, 1, 1) for c in (IMAGENET_MEAN, IMAGENET_STD))
    assert torch.equal(classifier(x), network((x - mean) / std))
    assert "mean" not in classifier.state_dict()
