import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from quantlib.errors import QuantlibError
from quantlib.imaging.resizing import downscale
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.depth import DepthDynamic
from quantlib.training.loop import Progress, learning_rate, train
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe, read_recipe
from quantlib.training.super_resolution.run import fresh_network, train_recipe

RECIPES = sorted((Path(__file__).parents[3] / "assets" / "recipes").glob("*-x?*.toml"))
RECIPE = Recipe(
    "tiny", scale=2, features=4, blocks=1, steps=12, batch=2, patch=8, warmup=3, ema=0.9, seed=7
)


class KilledError(Exception):
    pass


def source(folder: Path, scale: int = 2, patch: int = 8) -> PatchSource:
    return PatchSource([folder], scale, patch)


def small() -> DepthDynamic:
    return fresh_network(RECIPE)


# Patches


def turns_and_flips(x: np.ndarray) -> list[np.ndarray]:
    """All eight ways to lay down a square of `(H, W, 3)`."""
    return [np.rot90(side, k) for side in (x, x[:, ::-1]) for k in range(4)]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_both_sides_of_a_patch_show_the_same_place(photographs, scale):
    """Every pair is searched for in the pictures: one place, one of eight ways, on both sides."""
    patch = 5
    pictures = []
    for file in (photographs / "first.png", photographs / "more" / "second.PNG"):
        high = np.array(Image.open(file))
        pictures.append((to_uint8(downscale(to_tensor(high), scale)), high))
    low, high = source(photographs, scale, patch).batch(24, seed=1, step=2)
    assert low.shape == (24, 3, patch, patch)
    assert high.shape == (24, 3, scale * patch, scale * patch)
    sides = [(x.movedim(1, 3).numpy() * 255).round().astype(np.uint8) for x in (low, high)]
    ways_seen = set()
    for small_side, large_side in zip(*sides, strict=True):
        found = [
            way
            for whole, original in pictures
            for y in range(whole.shape[0] - patch + 1)
            for x in range(whole.shape[1] - patch + 1)
            for way, (a, b) in enumerate(
                zip(
                    turns_and_flips(whole[y : y + patch, x : x + patch]),
                    turns_and_flips(
                        original[scale * y : scale * (y + patch), scale * x : scale * (x + patch)]
                    ),
                    strict=True,
                )
            )
            if np.array_equal(a, small_side) and np.array_equal(b, large_side)
        ]
        assert found
        ways_seen.update(found)
    assert len(ways_seen) > 3


def test_batches_follow_from_seed_and_step(photographs):
    patches = source(photographs)
    first, again, other_step, other_seed = (
        patches.batch(3, *at)[1] for at in ((1, 5), (1, 5), (1, 6), (2, 5))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other_step)
    assert not torch.equal(first, other_seed)
    assert first.min() >= 0 and first.max() <= 1


def test_pictures_that_are_too_small_are_left_out(photographs, tmp_path):
    shutil.copy(photographs / "first.png", tmp_path)
    for side in (1, 2, 15):
        Image.new("RGB", (side, side)).save(tmp_path / f"{side}.png")
    assert len(source(tmp_path).pairs) == 1
    (tmp_path / "first.png").unlink()
    with pytest.raises(QuantlibError, match="No picture of at least 16 pixels a side"):
        source(tmp_path)


def test_no_pictures(tmp_path):
    with pytest.raises(QuantlibError, match="give --data a folder of photographs"):
        source(tmp_path)


@pytest.mark.parametrize("damage", ["text", "cut off"])
def test_a_damaged_picture_is_named(photographs, tmp_path, damage):
    whole = (photographs / "first.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(b"hello" if damage == "text" else whole[:200])
    with pytest.raises(QuantlibError, match=r"broken\.png is (no PNG|damaged)"):
        source(tmp_path)


# Recipes


def test_the_schedule():
    recipe = Recipe("r", scale=2, steps=110, warmup=10, learning_rate=2.0)
    rates = [learning_rate(recipe, step) for step in range(110)]
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    half_cosine = [1 + math.cos(math.pi * i / 100) for i in range(100)]
    assert rates[10:] == pytest.approx(half_cosine)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_the_recipes_that_come_along(file):
    recipe = read_recipe(file)
    assert recipe.name == file.stem
    assert f"x{recipe.scale}" in recipe.name
    assert fresh_network(replace(recipe, start="")).scale == recipe.scale


def test_a_recipe_is_read_as_it_stands(tmp_path):
    (tmp_path / "mine.toml").write_text("scale = 3\nlearning_rate = 1\nsteps = 5\n")
    recipe = read_recipe(tmp_path / "mine.toml")
    assert recipe == Recipe("mine", scale=3, learning_rate=1, steps=5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not set scale"),
        ("scale = ", "is not valid TOML"),
        ("scale = 2\nspeed = 1", "sets speed; known are name, scale"),
        ("scale = '2'", "scale in mine.toml has to be of type int"),
        ("scale = 2.0", "has to be of type int"),
        ("scale = 2\nsteps = true", "has to be of type int"),
        ("scale = 2\nlearning_rate = 'fast'", "has to be of type float"),
        ("scale = 2\nsteps = 0", "steps in recipe mine has to be above zero"),
        ("scale = 2\nbatch = -1", "batch in recipe mine has to be above zero"),
        ("scale = 2\nlearning_rate = nan", "has to be above zero"),
        ("scale = 2\nlearning_rate = inf", "has to be above zero"),
        ("scale = 2\nseed = -1", "must not be below zero"),
        ("scale = 2\nwarmup = -1", "must not be below zero"),
        ("scale = 2\nema = 1.0", r"has to lie in \[0, 1\)"),
    ],
)
def test_recipes_that_are_refused(tmp_path, text, sentence):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(QuantlibError, match=sentence) as caught:
        read_recipe(tmp_path / "mine.toml")
    assert "\n" not in str(caught.value)


def test_recipe_files_that_cannot_be_read(tmp_path):
    with pytest.raises(QuantlibError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(QuantlibError, match="cannot be read"):
        read_recipe(tmp_path / "binary.toml")


# The loop


def test_interrupted_training_ends_with_the_same_weights(photographs, tmp_path):
    """Killed between two checkpoints; what was done since the last one is done again."""
    patches = source(photographs)
    straight, _ = train(small(), patches, RECIPE, tmp_path / "straight.pt", save_every=5)

    def kill(progress: Progress) -> None:
        if progress.step == 8:
            raise KilledError

    checkpoint = tmp_path / "killed.pt"
    with pytest.raises(KilledError):
        train(small(), patches, RECIPE, checkpoint, watch=kill, watch_every=1, save_every=5)
    torch.manual_seed(99)  # nothing may hang on the state that the killed process left behind
    other = EDSR(2, 4, 1)
    steps = []
    resumed, seconds = train(
        other,
        patches,
        RECIPE,
        checkpoint,
        resume=True,
        watch=lambda progress: steps.append(progress.step),
        watch_every=1,
        save_every=5,
    )
    assert steps == list(range(6, 13))
    assert seconds > 0
    assert resumed.keys() == straight.keys()
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)
    ends = [torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in ("straight", "killed")]
    for name, weight in ends[0]["network"].items():
        assert torch.equal(weight, ends[1]["network"][name])


def test_resuming_a_finished_run_changes_nothing(photographs, tmp_path):
    checkpoint = tmp_path / "run.pt"
    done, _ = train(small(), source(photographs), RECIPE, checkpoint)
    before = checkpoint.read_bytes()
    again, _ = train(small(), source(photographs), RECIPE, checkpoint, resume=True)
    assert all(torch.equal(done[name], again[name]) for name in done)
    assert checkpoint.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.pt"]


def test_resuming_without_a_checkpoint_starts_afresh(photographs, tmp_path):
    patches = source(photographs)
    wanted, _ = train(small(), patches, RECIPE, tmp_path / "a.pt")
    found, _ = train(small(), patches, RECIPE, tmp_path / "b.pt", resume=True)
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


@pytest.mark.parametrize("change", [{"steps": 13}, {"seed": 8}, {"learning_rate": 1e-3}])
def test_a_checkpoint_of_another_recipe(photographs, tmp_path, change):
    checkpoint = tmp_path / "run.pt"
    train(small(), source(photographs), RECIPE, checkpoint)
    with pytest.raises(QuantlibError, match="belongs to other settings of recipe tiny"):
        train(small(), source(photographs), replace(RECIPE, **change), checkpoint, resume=True)


@pytest.mark.parametrize("content", [b"", b"hello", b"cut off", b"another"])
def test_a_checkpoint_that_is_none(photographs, tmp_path, content):
    checkpoint = tmp_path / "run.pt"
    if content == b"cut off":
        train(small(), source(photographs), RECIPE, checkpoint)
        content = checkpoint.read_bytes()[:-400]
    if content == b"another":
        torch.save(small().state_dict(), checkpoint)
    else:
        checkpoint.write_bytes(content)
    with pytest.raises(QuantlibError, match="damaged or no checkpoint of a training run"):
        train(small(), source(photographs), RECIPE, checkpoint, resume=True)


def test_the_loss_goes_down(photographs, tmp_path):
    recipe = replace(RECIPE, steps=300, batch=4, learning_rate=1e-2, warmup=5)
    losses: list[float] = []
    train(
        fresh_network(recipe),
        source(photographs),
        recipe,
        tmp_path / "run.pt",
        watch=lambda progress: losses.append(progress.loss),
        watch_every=10,
    )
    assert len(losses) == 30
    assert np.mean(losses[-3:]) < 0.5 * losses[0]


def test_the_average_is_that_of_the_steps(photographs, tmp_path):
    """Weights after every step, averaged here: decay min(ema, (step + 1) / (step + 10))."""
    network = small()
    average = {name: w.clone().double() for name, w in network.state_dict().items()}
    step = 0

    def follow(progress: Progress) -> None:
        nonlocal step
        decay = min(RECIPE.ema, (step + 1) / (step + 10))
        for name, weight in network.state_dict().items():
            average[name] = decay * average[name] + (1 - decay) * weight.double()
        step += 1

    found, _ = train(
        network, source(photographs), RECIPE, tmp_path / "run.pt", watch=follow, watch_every=1
    )
    assert step == RECIPE.steps
    for name, weight in found.items():
        torch.testing.assert_close(weight.double(), average[name], rtol=1e-4, atol=1e-6)
        assert not torch.equal(weight, network.state_dict()[name])


def test_progress_says_how_long_is_left():
    assert Progress(step=30, steps=100, loss=0.1, steps_per_second=2.0).seconds_left == 35


# From a recipe to weights with a card


def test_weights_and_card(photographs, tmp_path):
    out = tmp_path / "new" / "folder"
    seen = []

    def validate(network) -> dict[str, float]:
        seen.append(network)
        return {"set0": 31.25}

    report = train_recipe(RECIPE, [photographs], out, validate=validate)
    card = json.loads((out / "tiny.json").read_text("utf-8"))
    weights = load_file(out / "tiny.safetensors")
    parameters = sum(w.numel() for w in weights.values())
    assert parameters == sum(p.numel() for p in EDSR(2, 4, 1).parameters())
    assert {k: card[k] for k in ("name", "architecture", "scale", "licence", "psnr_y")} == {
        "name": "tiny",
        "architecture": "EDSR",
        "scale": 2,
        "licence": "Apache-2.0",
        "psnr_y": {"set0": 31.25},
    }
    assert card["parameters"] == parameters
    assert card["bytes"] == (out / "tiny.safetensors").stat().st_size
    told = card["training"]
    for name in ("steps", "batch", "patch", "learning_rate", "warmup", "ema", "seed"):
        assert told[name] == getattr(RECIPE, name)
    assert told["data"] == f"2 photographs: {photographs.name}"
    assert told["libraries"]["torch"] == torch.__version__
    assert told["method"] == "fp32" and told["layers"] == "none"
    assert "×2" in card["title"]
    assert str(tmp_path) not in json.dumps(card)
    assert report["weights"] == str(out / "tiny.safetensors")
    assert report["card"] == str(out / "tiny.json")

    assert not seen[0].training
    for name, weight in seen[0].state_dict().items():
        assert torch.equal(weight, weights[name])
    picture = torch.rand(1, 3, 6, 5)
    loaded = load(report["weights"])
    with torch.no_grad():
        torch.testing.assert_close(loaded(picture), seen[0](picture))


def test_fresh_networks_follow_their_seed():
    first, again = small().state_dict(), small().state_dict()
    other = fresh_network(replace(RECIPE, seed=8)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.0.weight"], other["head.0.weight"])


@pytest.mark.parametrize("scale", [2, 4])
def test_a_warm_start_takes_head_and_body(tmp_path, scale):
    """And the tail too, where the scale is the same."""
    torch.manual_seed(1)
    start = EDSR(2, 4, 1).state_dict()
    save_file(start, tmp_path / "start.safetensors")
    recipe = replace(RECIPE, scale=scale, start=str(tmp_path / "start.safetensors"))
    warm, cold = fresh_network(recipe).state_dict(), fresh_network(replace(recipe, start=""))
    for name, weight in warm.items():
        taken = scale == 2 or not name.startswith("tail.")
        wanted = start[name] if taken else cold.state_dict()[name]
        assert torch.equal(weight, wanted), name


def test_a_warm_start_that_does_not_fit(tmp_path):
    save_file(EDSR(2, 8, 1).state_dict(), tmp_path / "wide.safetensors")
    recipe = replace(RECIPE, start=str(tmp_path / "wide.safetensors"))
    with pytest.raises(QuantlibError, match="has another width or depth than recipe tiny"):
        fresh_network(recipe)


def test_folders_that_are_none(photographs, tmp_path):
    with pytest.raises(QuantlibError, match="nowhere is not a folder"):
        train_recipe(RECIPE, [photographs, tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(QuantlibError, match=r"file is a file; name a folder"):
        train_recipe(RECIPE, [photographs], tmp_path / "file")


def test_a_scale_that_no_edsr_has(photographs, tmp_path):
    with pytest.raises(QuantlibError, match="2, 3 or 4, not by 5"):
        train_recipe(replace(RECIPE, scale=5, patch=4), [photographs], tmp_path / "out")
