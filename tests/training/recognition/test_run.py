"""Recipes, batches and runs of classifiers and segmenters."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import cross_entropy

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures, read_camvid
from quantlib.errors import QuantlibError
from quantlib.models import catalogue, load_classifier
from quantlib.models.segmenter import load_segmenter
from quantlib.training.recognition.augmentation import AnnotatedSource, LabelledSource
from quantlib.training.recognition.objective import RecognitionObjective
from quantlib.training.recognition.recipe import RecognitionRecipe, recognition_recipe_from
from quantlib.training.recognition.run import fresh_recogniser, train_recognition
from quantlib.training.super_resolution.recipe import read_toml

RECIPES = Path(__file__).parents[3] / "assets" / "recipes"
NAMES = ["mobilenetv2-cifar10", "resnet-digits", "unet-camvid"]
DIGITS = RecognitionRecipe(
    "tiny",
    "classification",
    "ResNet",
    "digits",
    features=2,
    steps=230,
    batch=4,
    shift=1,
    flip=False,
    warmup=2,
    learning_rate=0.01,
)
CAMVID = replace(
    DIGITS, task="segmentation", architecture="U-Net", data_set="camvid", crop=12, steps=3
)


def squares(count: int = 12, seed: int = 0) -> LabelledPictures:
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    return LabelledPictures(rgb, random.integers(0, 3, count), ("a", "b", "c"))


def streets(count: int = 2) -> AnnotatedPictures:
    """The colour of every pixel says its class."""
    random = np.random.default_rng(1)
    labels = np.kron(random.integers(0, 4, (count, 8, 6)), np.ones((1, 4, 4))).astype(np.uint8)
    rgb = np.repeat((labels * 60)[..., None], 3, 3).astype(np.uint8)
    return AnnotatedPictures(rgb, labels, ("a", "b", "c"))


@pytest.mark.parametrize("name", NAMES)
def test_the_recipes_that_come_along(name):
    file = RECIPES / f"{name}.toml"
    recipe = recognition_recipe_from(read_toml(file), file)
    assert recipe.name == name
    if name != "unet-camvid":
        assert fresh_recogniser(recipe, 10, 32)(torch.rand(1, 3, 32, 32)).shape == (1, 10)
    else:
        assert fresh_recogniser(recipe, 11, 0)(torch.rand(1, 3, 32, 48)).shape == (1, 11, 32, 48)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": "VGG"}, "known for classification are ResNet, MobileNetV2"),
        ({"data_set": "camvid"}, "known for classification are cifar10, digits"),
        ({"task": "hearing"}, "task in recipe mine is 'hearing'"),
        ({"steps": 0}, "steps in recipe mine has to be above zero"),
        ({"ema": 1.5}, r"ema in recipe mine has to lie in \[0, 1\]"),
        ({"shift": -1}, "shift in recipe mine must not be below zero"),
        ({"colour": 1}, r"mine\.toml sets colour; known are"),
        ({"width": "wide"}, r"width in mine\.toml has to be of type float"),
    ],
)
def test_recipes_that_cannot_be(change, sentence):
    values = {"task": "classification", "architecture": "ResNet", "data_set": "digits"}
    with pytest.raises(QuantlibError, match=sentence):
        recognition_recipe_from(values | change, Path("mine.toml"))


def test_an_epoch_shows_every_picture_once():
    source = LabelledSource(squares(12), shift=0, flip=False)
    pictures = {rgb.tobytes() for rgb in source.pictures.rgb}
    for epoch in range(2):
        shown = [source.batch(4, 7, 3 * epoch + step)[0] for step in range(3)]
        rows = (torch.cat(shown) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        assert {row.tobytes() for row in rows} == pictures
    assert torch.equal(source.batch(5, 7, 4)[0], source.batch(5, 7, 4)[0])


def test_pictures_are_moved_and_mirrored_with_their_label():
    whole, shift = squares(5), 2
    x, labels = LabelledSource(whole, shift, flip=True).batch(20, seed=3, step=0)
    rows = (x * 255).round().byte().permute(0, 2, 3, 1).numpy()
    padded = np.pad(whole.rgb, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    for row, label in zip(rows, labels.tolist(), strict=True):
        places = {
            whole.labels[i]
            for i in range(5)
            for top in range(2 * shift + 1)
            for left in range(2 * shift + 1)
            for view in [padded[i, top : top + 8, left : left + 8]]
            if np.array_equal(view, row) or np.array_equal(view[:, ::-1], row)
        }
        assert places == {label}


def test_crops_keep_pictures_and_classes_together():
    x, labels = AnnotatedSource(streets(), crop=16).batch(6, seed=0, step=0)
    assert x.shape == (6, 3, 16, 16) and labels.shape == (6, 16, 16)
    inner = (x[:, 0] * 255 / 60 - labels).abs() < 0.2
    assert inner.float().mean() > 0.6, "but where resampling blends two classes"


def test_the_loss_is_that_of_hinton():
    torch.manual_seed(0)
    network, teacher = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    x, labels = torch.rand(5, 4), torch.tensor([0, 1, 2, 1, 0])
    recipe = replace(DIGITS, distillation=0.3, temperature=2.0)
    found = RecognitionObjective(network, recipe, teacher)(x, labels, 0)
    with torch.autocast("cpu", torch.bfloat16):
        t = teacher(x).float()
    z, t = network(x).double(), t.double()
    p, q = (t / 2).softmax(1), (z / 2).softmax(1)
    divergence = (p * (p.log() - q.log())).sum(1).mean()
    wanted = 0.7 * cross_entropy(z, labels) + 0.3 * 4 * divergence
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-5)


def test_void_pixels_do_not_count():
    network = torch.nn.Conv2d(3, 3, 1)
    x, labels = torch.rand(1, 3, 4, 4), torch.randint(0, 3, (1, 4, 4))
    objective = RecognitionObjective(network, CAMVID, None, torch.tensor([1.0, 2.0, 3.0]))
    partly = labels.clone()
    partly[0, :2] = 3
    wanted = objective(x[:, :, 2:], labels[:, 2:], 0)
    torch.testing.assert_close(objective(x, partly, 0), wanted)


def test_a_killed_run_ends_as_one_that_was_not(tmp_path):
    class KilledError(Exception):
        pass

    def kill(progress):
        if progress.step == 200:
            raise KilledError

    whole = train_recognition(DIGITS, squares(), tmp_path / "a")
    with pytest.raises(KilledError):
        train_recognition(DIGITS, squares(), tmp_path / "b", watch=kill)
    resumed = train_recognition(DIGITS, squares(), tmp_path / "b", resume=True)
    assert Path(whole["weights"]).read_bytes() == Path(resumed["weights"]).read_bytes()


def test_weights_and_card_load_by_name(tmp_path, monkeypatch):
    train_recognition(
        replace(DIGITS, steps=2), squares(), tmp_path, measured=lambda net: "4.20 % of nothing"
    )
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    (entry,) = catalogue.bundled(task=catalogue.CLASSIFICATION)
    assert (entry.name, entry.classes, entry.measured) == (
        "builtin:tiny",
        ("a", "b", "c"),
        "4.20 % of nothing",
    )
    assert catalogue.bundled() == [] and catalogue.entries() == [*catalogue.CATALOGUE]
    network = load_classifier("builtin:tiny")
    assert (network.classes, network.preprocessing.size, network.architecture) == (3, 8, "ResNet-8")


def test_a_segmenter_is_trained_and_loaded(tmp_path, monkeypatch):
    recipe = replace(CAMVID, features=2)
    card = train_recognition(recipe, streets(), tmp_path)
    assert json.loads(Path(card["card"]).read_text())["task"] == "segmentation"
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    network = load_segmenter("builtin:tiny")
    assert network(torch.rand(1, 3, 20, 24)).shape == (1, 3, 20, 24)


def test_small_pictures_and_missing_folders_are_named(tmp_path):
    with pytest.raises(QuantlibError, match="too small for crops of 40"):
        AnnotatedSource(streets(), crop=40)
    with pytest.raises(QuantlibError, match="no pictures to train on"):
        LabelledSource(squares(0), 1, True)
    with pytest.raises(QuantlibError, match="There is no folder"):
        read_camvid(tmp_path)


def test_camvid_is_read_by_name(tmp_path):
    given = streets(3)
    for folder in ("train", "trainannot"):
        (tmp_path / folder).mkdir()
    for at in range(3):
        Image.fromarray(given.rgb[at]).save(tmp_path / "train" / f"{at}.png")
        Image.fromarray(given.labels[at]).save(tmp_path / "trainannot" / f"{at}.png")
    found = read_camvid(tmp_path, "train")
    assert np.array_equal(found.rgb, given.rgb) and np.array_equal(found.labels, given.labels)
    (tmp_path / "trainannot" / "1.png").unlink()
    with pytest.raises(QuantlibError, match="1 in train has no annotation in trainannot"):
        read_camvid(tmp_path, "train")
    Image.fromarray(given.rgb[1]).save(tmp_path / "trainannot" / "1.png")
    with pytest.raises(QuantlibError, match="does not hold one number per pixel"):
        read_camvid(tmp_path, "train")
    wrong = given.labels[1].copy()
    wrong[0, 0] = 77
    Image.fromarray(wrong).save(tmp_path / "trainannot" / "1.png")
    with pytest.raises(QuantlibError, match="A label is 77, but the 11 classes"):
        read_camvid(tmp_path, "train")
