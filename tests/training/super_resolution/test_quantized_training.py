"""Training with quantizers and depths: what the loss is, what stops it, how it goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import l1_loss

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.scheme import quantized_layers
from quantlib.training.loop import Progress, train
from quantlib.training.super_resolution import compiled as passes
from quantlib.training.super_resolution.objective import Objective, start_quantizers
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network, train_recipe

RECIPE = Recipe(
    "deep",
    scale=2,
    features=4,
    blocks=4,
    steps=10,
    batch=2,
    patch=8,
    warmup=2,
    ema=0.9,
    seed=7,
    method="rlq",
    weight_bits=2,
    activation_bits=2,
    depths=True,
    plain_steps=4,
)


class KilledError(Exception):
    pass


@pytest.fixture
def patches(photographs) -> PatchSource:
    return PatchSource([photographs], 2, 8)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)


def test_only_the_block_convolutions_are_quantized():
    names = [f"body.{i}.body.{j}" for i in range(4) for j in (0, 2)]
    assert list(quantized_layers(fresh_network(RECIPE))) == names
    assert not quantized_layers(fresh_network(replace(RECIPE, method="")))


def test_the_joint_loss_is_the_mean_over_the_three_depths():
    network, (low, high) = fresh_network(RECIPE), batch()
    start_quantizers(network, low)
    objective = Objective(network, RECIPE, None)
    one = l1_loss(network(low), high)
    torch.testing.assert_close(objective(low, high, step=3), one)
    with torch.no_grad():
        for block, s in zip(network.residual_blocks, (1.2, 0.9, 1.1, 1.0), strict=True):
            assert block.shortcut is not None
            block.shortcut.copy_(torch.tensor(s))
    found = objective(low, high, step=4)
    assert network.block_order.tolist() == [1, 3, 2, 0]
    kept = ([0, 1, 2, 3], [1, 3], [1])
    wanted = [l1_loss(network.with_blocks(blocks)(low), high) for blocks in kept]
    torch.testing.assert_close(found, torch.stack(wanted).mean())
    heavy = Objective(network, replace(RECIPE, full_weight=2.0, half_weight=4.0), None)
    weighted = (2 * wanted[0] + 4 * wanted[1] + wanted[2]) / 7
    torch.testing.assert_close(heavy(low, high, step=5), weighted)
    alone = Objective(network, replace(RECIPE, alone="half", plain_steps=0), None)
    torch.testing.assert_close(alone(low, high, step=0), wanted[1])


@pytest.mark.parametrize("method", ["pact", "pams", "lsq"])
def test_ranges_start_from_what_full_precision_makes(method):
    network, (low, _) = fresh_network(replace(RECIPE, depths=False, method=method)), batch()
    plain = EDSR(2, 4, 4)
    plain.load_state_dict(network.state_dict(), strict=False)
    inputs = {}
    for name in quantized_layers(network):
        plain.get_submodule(name).register_forward_hook(
            lambda layer, x, y, name=name: inputs.update({name: x[0].detach()})
        )
    plain(low)
    start_quantizers(network, low)
    for name, layer in quantized_layers(network).items():
        assert layer.activation is not None
        found = {key: value.clone() for key, value in layer.activation.named_parameters()}
        with torch.no_grad():
            layer.activation.start_from(inputs[name])
        for key, value in layer.activation.named_parameters():
            torch.testing.assert_close(found[key], value)
    assert not torch.equal(network(low), plain(low))


def test_a_teacher_adds_its_distance():
    network, (low, high) = fresh_network(replace(RECIPE, depths=False)), batch()
    start_quantizers(network, low)
    teacher = EDSR(2, 4, 1)
    recipe = replace(RECIPE, depths=False, teacher="t", distillation=0.5)
    wanted = l1_loss(network(low), high) + 0.5 * l1_loss(network(low), teacher(low))
    torch.testing.assert_close(Objective(network, recipe, teacher)(low, high, 0), wanted)


COMPILED = replace(RECIPE, blocks=1, steps=4, plain_steps=2, method="lsq")  # soon compiled


@pytest.mark.parametrize(
    ("recipe", "killed_after", "compiles"),
    [(RECIPE, 3, False), (RECIPE, 4, False), (RECIPE, 7, False), (COMPILED, 2, True)],
    ids=["plain", "turn", "joint", "compiled"],
)
def test_a_killed_run_ends_with_the_same_weights(
    patches, tmp_path, recipe, killed_after, compiles, monkeypatch
):
    """Before, at and after the step from the plain to the joint stage."""
    if compiles:
        monkeypatch.setattr(passes, "WORTH_COMPILING", 1)
    straight, _ = train(fresh_network(recipe), patches, recipe, tmp_path / "a.pt")

    def kill(progress: Progress) -> None:
        if progress.step == killed_after + 1:
            raise KilledError

    again = {"checkpoint": tmp_path / "b.pt", "save_every": killed_after, "watch_every": 1}
    with pytest.raises(KilledError):
        train(fresh_network(recipe), patches, recipe, watch=kill, **again)
    other = fresh_network(replace(recipe, seed=99))
    resumed, _ = train(other, patches, recipe, resume=True, **again)
    assert resumed.keys() == straight.keys()
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)
    assert straight["block_order"].sort().values.tolist() == [*range(recipe.blocks)]


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(patches, tmp_path):
    class Poisoned:
        def batch(self, size: int, seed: int, step: int):
            low, high = patches.batch(size, seed, step)
            return (low, high * float("nan")) if step == 5 else (low, high)

    file = tmp_path / "run.pt"
    with pytest.raises(QuantlibError, match=r"not finite at step 6.*last checkpoint is kept"):
        train(fresh_network(RECIPE), Poisoned(), RECIPE, file, save_every=3)  # type: ignore[arg-type]
    state = torch.load(file, weights_only=True)
    assert state["step"] == 3
    assert all(v.isfinite().all() for v in state["network"].values())


def test_a_full_disk_keeps_the_checkpoint_before(patches, tmp_path, monkeypatch):
    file = tmp_path / "run.pt"
    written = []

    def full_at_the_second(handle: int) -> None:
        written.append(handle)
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("quantlib.files.os.fsync", full_at_the_second)
    with pytest.raises(QuantlibError, match=r"There is no room for .*run\.pt"):
        train(fresh_network(RECIPE), patches, RECIPE, file, save_every=3)
    assert [p.name for p in tmp_path.iterdir()] == ["run.pt"]
    assert torch.load(file, weights_only=True)["step"] == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_real_disk_that_is_full(patches, tmp_path):
    (tmp_path / "run.pt").symlink_to("/dev/full")
    with pytest.raises(QuantlibError, match="There is no room"):
        train(fresh_network(RECIPE), patches, RECIPE, tmp_path / "run.pt")


def test_the_shipped_file_gives_the_trained_network(photographs, tmp_path):
    out = tmp_path / "out"
    seen = []
    report = train_recipe(
        RECIPE, [photographs], out, validate=lambda network: seen.append(network) or {}
    )
    assert list(report["depths"]) == ["full", "half", "quarter"]
    loaded = load(report["weights"])
    x = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        for depth in loaded.depths:
            wanted = seen[0].at_depth(depth)(x)
            torch.testing.assert_close(loaded.at_depth(depth)(x), wanted, rtol=0, atol=1e-6)


def test_a_warm_start_from_fewer_bits_keeps_order_and_shifts(photographs, tmp_path):
    first = train_recipe(RECIPE, [photographs], tmp_path)
    recipe = replace(RECIPE, name="next", start=first["weights"], plain_steps=0, weight_bits=4)
    start, network = load(first["weights"]).network, fresh_network(recipe)
    assert torch.equal(network.block_order, start.block_order)  # type: ignore[arg-type]
    for name, layer in quantized_layers(network).items():
        before = quantized_layers(start)[name]
        assert torch.equal(layer.weight, before.weight)
        assert torch.equal(layer.activation.shift, before.activation.shift)  # type: ignore[union-attr]
        assert not layer.activation.initialised  # type: ignore[union-attr]


def test_a_plain_network_starts_a_deep_one(tmp_path):
    save_file(EDSR(2, 4, 4).state_dict(), tmp_path / "plain.safetensors")
    network = fresh_network(replace(RECIPE, start=str(tmp_path / "plain.safetensors")))
    assert network.shortcuts.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"alone": "third"}, "alone in recipe deep names a depth"),
        ({"alone": "half", "depths": False}, "alone in recipe deep names a depth"),
        ({"distillation": 1.0}, "name the network as `teacher`"),
        ({"half_weight": 0.0}, "half_weight in recipe deep has to be above zero"),
        ({"plain_steps": -1}, "plain_steps in recipe deep must not be below zero"),
    ],
)
def test_recipes_that_are_refused(change, sentence):
    with pytest.raises(QuantlibError, match=sentence):
        replace(RECIPE, **change)


def test_an_unknown_method():
    with pytest.raises(QuantlibError, match="no quantizer 'magic'"):
        fresh_network(replace(RECIPE, method="magic"))
