"""What training frameworks put around weights: which are taken, and what is said of it."""

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from quantlib.models.architectures.edsr import EDSR
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.loading import read_network
from quantlib.models.unwrapping import unwrapped

PLAIN = {"head.weight": torch.zeros(2, 2), "head.bias": torch.zeros(2)}
MEAN = {name: value + 1 for name, value in PLAIN.items()}
TAKEN = "The averaged weights ({}) are taken, not the plain ones beside them."


def prefixed(prefix: str, weights: dict[str, Tensor] = PLAIN) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in weights.items()}


def same(found: Any, wanted: dict[str, Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(torch.equal(found[n], wanted[n]) for n in wanted)


@pytest.mark.parametrize(
    "wrapper",
    [
        *("params", "state_dict", "model_state_dict", "model", "net", "network", "net_g", "netG"),
        *("generator", "weights", "G", "my_trainer"),
    ],
)
@pytest.mark.parametrize("wrap_again", [False, True])
def test_a_wrapper_is_taken_off(wrapper: str, wrap_again: bool) -> None:
    optimizer = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}
    content: dict[str, Any] = {wrapper: PLAIN, "optimizer": optimizer, "epoch": 7}
    content = {"checkpoint": content, "arch": "EDSR"} if wrap_again else content
    found = unwrapped(content)
    assert same(found.weights, PLAIN)
    assert not found.notes


@pytest.mark.parametrize(
    "key",
    [
        *("params_ema", "params-ema", "state_dict_ema", "ema_state_dict", "model_ema", "ema"),
        *("ema_model", "net_g_ema", "averaged_model", "swa_state_dict"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_averaged_weights_are_taken_and_it_is_said(key: str, first: bool) -> None:
    pairs = {key: MEAN, "params": PLAIN} if first else {"params": PLAIN, key: MEAN}
    found = unwrapped({**pairs, "step": 3})
    assert same(found.weights, MEAN)
    assert found.notes == (TAKEN.format(key),)
    alone = unwrapped({key: MEAN, "step": 3})
    assert same(alone.weights, MEAN)
    assert not alone.notes, "there was no choice"


def test_what_only_sounds_like_an_average_is_none() -> None:
    content = {"state_dict": PLAIN, "ema": 0.999, "ema_config": {"decay": 0.9}, "schema": MEAN}
    assert same(unwrapped(content).weights, PLAIN)
    discriminator = {"net_g": PLAIN, "net_d_ema": MEAN}
    assert same(unwrapped(discriminator).weights, PLAIN)


def test_a_callback_of_lightning() -> None:
    callbacks = {"EMACallback{'decay': 0.99}": {"ema_state_dict": MEAN}, "Timer": {"elapsed": 3}}
    found = unwrapped({"state_dict": PLAIN, "callbacks": callbacks, "epoch": 1})
    assert same(found.weights, MEAN)
    assert found.notes


def test_averages_without_names_have_the_order_of_the_parameters() -> None:
    """As torch_ema saves them."""
    shadow = {"decay": 0.99, "num_updates": 5, "shadow_params": list(MEAN.values())}
    assert same(unwrapped({"model": PLAIN, "ema": shadow}).weights, MEAN)
    too_few = {"shadow_params": list(MEAN.values())[:1]}
    found = unwrapped({"model": PLAIN, "ema": too_few})
    assert same(found.weights, PLAIN)
    assert found.notes == (
        "The averaged weights (shadow_params) do not fit the plain ones, which are taken.",
    )


@pytest.mark.parametrize("plain", ["", "model.", "net."])
@pytest.mark.parametrize("average", ["ema", "model_ema", "ema_model"])
def test_two_sets_under_two_prefixes(plain: str, average: str) -> None:
    found = unwrapped({**prefixed(plain), **prefixed(f"{average}.", MEAN)})
    assert same(found.weights, MEAN)
    assert found.notes == (TAKEN.format(average),)


def test_averages_whose_names_lost_their_dots() -> None:
    """As LitEma of latent diffusion saves them: parameters only, buffers stay with the plain."""
    averaged = {f"model_ema.{name.replace('.', '')}": value for name, value in MEAN.items()}
    buffer = {"model.norm.running_mean": torch.ones(2)}
    found = unwrapped(
        {**prefixed("model."), **buffer, **averaged, "model_ema.decay": torch.ones(1)}
    )
    assert same(found.weights, {**MEAN, "norm.running_mean": torch.ones(2)})


def network() -> EDSR:
    torch.manual_seed(0)
    return EDSR(2, features=4, blocks=1)


def loads_as_it_was(content: object) -> bool:
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    loaded = read_network(file, "net.pth")
    assert loaded.architecture == "EDSR"
    return same(loaded.network.state_dict(), network().state_dict())


@pytest.mark.parametrize(
    "prefix",
    [
        *("module.", "_orig_mod.", "model.", "net_g.", "generator.", "netG.", "whatever."),
        *("module._orig_mod.", "model.net_g.module.", "lit.model.net."),
    ],
)
def test_prefixes_that_all_names_share(prefix: str) -> None:
    weights = network().state_dict()
    assert loads_as_it_was({"state_dict": prefixed(prefix, weights)})


def test_a_generator_beside_its_discriminator_and_a_network_beside_its_loss() -> None:
    weights = network().state_dict()
    others = {f"discriminator.{i}.weight": torch.ones(1) for i in range(40)}
    assert loads_as_it_was({**prefixed("generator.", weights), **others})
    loss = {"loss.vgg.0.weight": torch.ones(1)}
    assert loads_as_it_was({**prefixed("model.", weights), **loss})


def test_what_torch_compile_and_averaged_model_save() -> None:
    inner = nn.Module()
    inner.model = torch.compile(network())  # type: ignore[assignment]
    assert any("_orig_mod" in name for name in inner.state_dict())
    assert loads_as_it_was(inner.state_dict())
    averaged = AveragedModel(network())
    assert "n_averaged" in averaged.state_dict()
    assert loads_as_it_was(averaged.state_dict())


def test_a_shared_prefix_that_belongs_to_the_network_stays() -> None:
    weights = prefixed("model.")
    file = io.BytesIO()
    torch.save(weights, file)
    assert same(Checkpoint.read(file.getvalue(), "net.pth").weights, weights)


def test_many_containers_that_contain_themselves_end() -> None:
    ring: dict[str, Any] = {}
    ring |= {f"part{i}": ring for i in range(100)} | {"ema": ring, "state_dict": ring}
    assert not unwrapped(ring).weights
    assert same(unwrapped({**ring, "params": PLAIN}).weights, PLAIN)
