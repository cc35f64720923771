import copy
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save as save_safetensors
from spandrel.architectures.Compact import Compact
from spandrel.architectures.DnCNN import DnCNN
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR
from torch import Tensor, nn
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

from quantlib.errors import QuantlibError
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import SRNetwork, catalogue, load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from tests.hub_server import HubServer, use_hub

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def pickled(weights: Mapping[str, object]) -> bytes:
    buffer = io.BytesIO()
    torch.save(dict(weights), buffer)
    return buffer.getvalue()


def hub_edsr(scale: int) -> dict[str, Tensor]:
    """Small, but named as on the Hub: prefix, and mean shifts that the network never applies."""
    weights = EDSR(scale, features=8, blocks=2).state_dict()
    for shift in ("sub_mean", "add_mean"):
        weights |= {f"{shift}.weight": torch.ones(3, 3, 1, 1), f"{shift}.bias": torch.ones(3)}
    return {f"module.{name}": value for name, value in weights.items()}


def span() -> SPAN:
    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()


def swin2sr() -> nn.Module:
    config = Swin2SRConfig(
        embed_dim=12, depths=[2], num_heads=[2], upscale=2, upsampler="pixelshuffledirect"
    )
    return Swin2SRForImageSuperResolution(config).eval()


HUB_FILES = {
    "eugenesiow/edsr-base": {f"pytorch_model_{s}x.pt": pickled(hub_edsr(s)) for s in (2, 3, 4)},
    "eugenesiow/pan": {
        f"pytorch_model_{s}x.pt": pickled(PAN(s, 8, 4, 2).state_dict()) for s in (2, 3, 4)
    },
    "caidas/swin2SR-lightweight-x2-64": {"pytorch_model.bin": pickled(swin2sr().state_dict())},
    "Phips/2xHFA2kSPAN": {"2xHFA2kSPAN.safetensors": save_safetensors(span().state_dict())},
}


@pytest.mark.parametrize("entry", catalogue.CATALOGUE, ids=lambda entry: entry.title)
def test_every_network_of_the_catalogue_on_the_hub(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, entry: catalogue.CatalogueEntry
) -> None:
    repository = entry.name.removeprefix("hub:").split(":")[0].split("@")[0]
    commit = server.add(repository, HUB_FILES[repository])
    pinned = entry.name.replace("@d622f68", f"@{commit[:7]}")
    network = load(pinned)
    assert (network.architecture, network.scale) == (entry.architecture, entry.scale)
    assert (network.name, network.commit) == (pinned, commit)
    assert repository in network.source
    check_contract(network)


def check_contract(network: SRNetwork) -> None:
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    assert len(network.sha256) == 64
    before = {name: value.clone() for name, value in network.state_dict().items()}
    copied = copy.deepcopy(network)
    for height, width in [(1, 1), (5, 9), (16, 24), (17, 3)]:
        x = torch.rand(1, 3, height, width)
        with torch.inference_mode():
            y = network(x)
            assert torch.equal(copied(x), y)
        assert y.shape == (1, 3, network.scale * height, network.scale * width)
        assert y.isfinite().all()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), "a forward pass changes nothing"
    copied(torch.rand(1, 3, 5, 5))  # outside of inference mode as well


def test_a_bare_repository_is_its_first_catalogue_entry(server: HubServer) -> None:
    server.add("eugenesiow/pan", HUB_FILES["eugenesiow/pan"])
    assert load("hub:eugenesiow/pan").name == "hub:eugenesiow/pan:pytorch_model_2x.pt"


def test_a_repository_outside_the_catalogue(server: HubServer) -> None:
    card = b"---\nlicense: mit\n---\n"
    weights = save_safetensors(EDSR(2, 8, 2).state_dict())
    commit = server.add("me/net", {"model.safetensors": weights, "README.md": card})
    network = load("hub:me/net")
    assert network.source == f"me/net@{commit}:model.safetensors"
    assert network.licence == "mit"


def test_an_unreachable_hub_points_to_what_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path)
    with pytest.raises(QuantlibError, match="use a bundled network such as builtin:edsr-x2"):
        load("hub:eugenesiow/edsr-base")


def write(folder: Path, weights: Mapping[str, object], name: str = "net.pth") -> str:
    path = folder / name
    path.write_bytes(pickled(weights))
    return str(path)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr_keeps_its_output(tmp_path: Path, scale: int) -> None:
    weights = hub_edsr(scale)
    network = load(write(tmp_path, weights))
    bare = EDSR(scale, features=8, blocks=2)
    bare.load_state_dict({k[7:]: v for k, v in weights.items() if "_mean" not in k})
    x = torch.rand(2, 3, 6, 7)
    assert torch.equal(network(x), bare(x))
    assert network.receptive_radius == bare.receptive_radius
    check_contract(network)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("pytorch_model_3x.pt", 3),
        ("PANx3_DF2K.pth", 3),
        ("pan-x2.pth", 2),
        ("pan.pth", 2),
        ("13x7.pth", 2),
    ],
)
def test_the_scale_of_pan_is_in_its_name(tmp_path: Path, name: str, scale: int) -> None:
    assert load(write(tmp_path, PAN(3, 8, 4, 1).state_dict(), name)).scale == scale


def test_swin2sr_of_transformers(tmp_path: Path) -> None:
    expected = swin2sr()
    network = load(write(tmp_path, expected.state_dict()))
    assert (network.architecture, network.window) == ("Swin2SR", 8)
    x = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        torch.testing.assert_close(network(x), expected(x).reconstruction, atol=1e-4, rtol=0)
    check_contract(network)


def test_span_keeps_its_output_when_folded(tmp_path: Path) -> None:
    bare = span()
    x = torch.rand(1, 3, 16, 18)
    expected = bare(x)
    network = load(write(tmp_path, bare.state_dict()))
    torch.testing.assert_close(network(x), expected, atol=1e-5, rtol=1e-5)
    assert network.parameter_count < sum(p.numel() for p in bare.parameters())
    check_contract(network)


def test_a_window_network_of_spandrel(tmp_path: Path) -> None:
    bare = SwinIR(
        img_size=16,
        embed_dim=12,
        depths=[2],
        num_heads=[2],
        window_size=8,
        mlp_ratio=2,
        upscale=2,
        upsampler="pixelshuffledirect",
    ).eval()
    network = load(write(tmp_path, bare.state_dict()))
    assert (network.architecture, network.scale, network.window) == ("SwinIR", 2, 8)
    assert network.receptive_radius is not None
    x = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        torch.testing.assert_close(network(x), bare(x))
    check_contract(network)


def test_what_does_not_enlarge_or_is_not_rgb_is_refused(tmp_path: Path) -> None:
    denoiser = DnCNN(in_nc=3, out_nc=3, nc=8, nb=4)
    with pytest.raises(QuantlibError, match="does not enlarge"):
        load(write(tmp_path, denoiser.state_dict()))
    grey = Compact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=2, upscale=2)
    with pytest.raises(QuantlibError, match="1 input and 1 output channels"):
        load(write(tmp_path, grey.state_dict()))


@pytest.mark.parametrize(
    ("network", "lost"),
    [
        (EDSR(2, 8, 2), "body.0.body.2.bias"),
        (EDSR(2, 8, 2), "tail.1.weight"),
        (PAN(2, 8, 4, 2), "SCPA_trunk.1.conv3.weight"),
        (PAN(2, 8, 4, 2), "conv_last.weight"),
        (span(), "block_2.c1_r.sk.weight"),
    ],
)
def test_missing_weights_are_named(tmp_path: Path, network: nn.Module, lost: str) -> None:
    weights = network.state_dict()
    del weights[lost]
    with pytest.raises(QuantlibError, match=f"net.pth lacks {lost}; choose"):
        load(write(tmp_path, weights))


def test_many_missing_weights_are_counted(tmp_path: Path) -> None:
    weights = {k: v for k, v in EDSR(2, 8, 4).state_dict().items() if "bias" not in k}
    with pytest.raises(QuantlibError, match=r"lacks .* and \d+ more"):
        load(write(tmp_path, weights))


def test_other_layouts(tmp_path: Path) -> None:
    with pytest.raises(
        QuantlibError,
        match=r"recognised are networks exported as ONNX, QuantSR-C as .*, EDSR, PAN, SwinIR",
    ):
        load(write(tmp_path, {"layer.weight": torch.zeros(3)}))
    with pytest.raises(QuantlibError, match=r"do not fit together"):
        load(write(tmp_path, {**EDSR(2, 8, 2).state_dict(), "tail.1.bias": torch.zeros(5)}))
    with pytest.raises(QuantlibError, match=r"do not fit together"):
        load(write(tmp_path, {**EDSR(2, 8, 2).state_dict(), "tail.0.0.weight": torch.zeros(56, 1)}))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("builtin:nothing", "There is no bundled network 'builtin:nothing'"),
        ("builtin:../../secret", "There is no bundled network"),
        ("edsr-x2", "write builtin:NAME"),
        ("", "write builtin:NAME"),
        ("hub:nobody", "does not name a model on the Hub"),
        ("hub:builtin", "does not name a model on the Hub"),
        ("no/such/file.pth", "There is no file"),
    ],
)
def test_names_that_lead_nowhere(name: str, sentence: str) -> None:
    with pytest.raises(QuantlibError, match=sentence):
        load(name)


def test_bundled_networks_appear_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    assert catalogue.bundled() == []
    card = {
        "name": "tiny-x2",
        "architecture": "EDSR",
        "scale": 2,
        "licence": "Apache-2.0",
        "parameters": 5,
        "psnr_y": {"set5": 36.5, "set14": 32.1},
    }
    (tmp_path / "tiny-x2.json").write_text(json.dumps(card))
    assert catalogue.bundled() == [], "a card without weights is no network"
    (tmp_path / "tiny-x2.safetensors").write_bytes(save_safetensors(EDSR(2, 8, 2).state_dict()))
    (entry,) = catalogue.bundled()
    assert catalogue.entries()[0] == entry
    assert (entry.name, entry.measured_psnr, entry.published_psnr) == (
        "builtin:tiny-x2",
        36.5,
        None,
    )
    network = load("builtin:tiny-x2")
    assert (network.licence, network.name) == ("Apache-2.0", "builtin:tiny-x2")
    check_contract(network)
    with pytest.raises(QuantlibError, match="the bundled networks are builtin:tiny-x2"):
        load("builtin:tiny-x4")
    (tmp_path / "tiny-x2.json").write_text("{")
    with pytest.raises(QuantlibError, match=r"The card tiny-x2\.json"):
        catalogue.entries()


def test_catalogue_names_are_loadable_and_unique() -> None:
    names = [entry.name for entry in catalogue.entries()]
    assert len(set(names)) == len(names)
    for entry in catalogue.CATALOGUE:
        assert catalogue.find(entry.name) == entry
        assert not entry.is_bundled
    assert catalogue.find("hub:builtin") is None
    for scale, entry in zip((2, 3, 4), catalogue.CATALOGUE[:3], strict=True):
        assert entry.parameters == sum(p.numel() for p in EDSR(scale).parameters())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "expected"),
    [("PANx2_DF2K.pth", 38.00), ("PANx4_DF2K.pth", 32.13), ("team34_craft_x4.pth", 32.39)],
)
def test_published_weights_score_on_set5(shared_data: Path, file: str, expected: float) -> None:
    network = load(str(shared_data / "weights" / file))
    scores = []
    for original in sorted((shared_data / "set5" / "HR").glob("*.png")):
        small = original.parents[1] / f"LR_bicubic/X{network.scale}"
        lr = to_tensor(pixels(small / f"{original.stem}x{network.scale}.png"))
        with torch.inference_mode():
            scores.append(psnr(to_uint8(network(lr)), pixels(original), network.scale))
    assert np.mean(scores) == pytest.approx(expected, abs=0.02)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def psnr(a: np.ndarray, b: np.ndarray, crop: int) -> float:
    weights = np.array([65.481, 128.553, 24.966]) / 255
    error = ((a.astype(float) - b[: a.shape[0], : a.shape[1]]) @ weights)[crop:-crop, crop:-crop]
    return 10 * float(np.log10(255**2 / np.mean(error**2)))
