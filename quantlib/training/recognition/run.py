"""A recipe for a classifier or a segmenter carried out: from pictures to weights with a card."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors.torch import save
from torch import nn

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures, read_camvid
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.errors import QuantlibError
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.models import load_classifier
from quantlib.models.architectures import trained
from quantlib.models.card import NetworkCard
from quantlib.models.normalised import Normalised
from quantlib.training.loop import Progress, train
from quantlib.training.recognition.augmentation import AnnotatedSource, LabelledSource
from quantlib.training.recognition.judging import JUDGES
from quantlib.training.recognition.objective import RecognitionObjective, rarity
from quantlib.training.recognition.recipe import RecognitionRecipe
from quantlib.training.super_resolution.runcard import commit, machine
from quantlib.training.together import together

TITLES = {"cifar10": "CIFAR-10", "digits": "handwritten digits", "camvid": "CamVid"}
MOMENTUM = 0.9
WATCH_EVERY, SAVE_EVERY = 100, 200

Pictures = LabelledPictures | AnnotatedPictures


def train_and_test(
    recipe: RecognitionRecipe,
    folders: Sequence[Path],
    out: Path,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Train on the data set in the one folder of `folders`; its test pictures judge."""
    if len(folders) != 1:
        raise QuantlibError("This recipe trains on one data set; give one --data.")
    pictures, test = (_pictures(recipe, folders[0], split) for split in ("train", "test"))
    judge = JUDGES[recipe.task]

    def measured(network: nn.Module) -> str:
        title = TITLES[recipe.data_set]
        percent = judge(network, test)
        return f"{percent:.2f} % {judge.measure} on {len(test):,} test pictures of {title}"

    return train_recognition(
        recipe, pictures, out, resume, watch, partial(judge, pictures=test), measured
    )


def _pictures(recipe: RecognitionRecipe, folder: Path, split: str) -> Pictures:
    if recipe.data_set == "digits":
        return read_digits(split)
    return (read_camvid if recipe.data_set == "camvid" else read_cifar10)(folder, split)


def train_recognition(
    recipe: RecognitionRecipe,
    pictures: Pictures,
    out: Path,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    judge: Callable[[nn.Module], float] | None = None,
    measured: Callable[[nn.Module], str] = lambda network: "",
) -> dict[str, Any]:
    """Train on `pictures`; weights, card and checkpoint go to `out`.

    `judge` gives the figure that the watcher is told, `measured` the words on the card that say
    what the finished network does; neither decides on the weights.
    """
    file = out / f"{recipe.name}.safetensors"
    make_folder(out)
    check_writable(file)
    network = fresh_recogniser(recipe, len(pictures.classes), pictures.rgb.shape[1])
    network.requires_grad_(True)
    objective, source = RecognitionObjective, _source(recipe, pictures)
    if isinstance(pictures, AnnotatedPictures):
        objective = partial(objective, class_weights=rarity(pictures, recipe.balance))
    weights, seconds = train(
        network,
        source,
        recipe,
        out / f"{recipe.name}.pt",
        resume,
        watch,
        judge,
        load_classifier(recipe.teacher) if recipe.teacher else None,
        WATCH_EVERY,
        SAVE_EVERY,
        objective,
        partial(_sgd, weight_decay=recipe.weight_decay),
    )
    if not together().is_first:
        return {}
    network.load_state_dict(weights)
    network.cpu().eval()
    write_whole(file, save({k: v.contiguous() for k, v in network.network.state_dict().items()}))
    card = _card(network, recipe, pictures, file, seconds / 3600, measured(network))
    card.write(file.with_suffix(".json"))
    return {"weights": str(file), "card": str(file.with_suffix(".json")), **card.as_json()}


def fresh_recogniser(recipe: RecognitionRecipe, classes: int, side: int) -> Normalised:
    """The network before its first step; `side` is that of a classifier's pictures."""
    torch.manual_seed(recipe.seed)
    training = trained(recipe.task)[recipe.architecture].training
    assert training is not None
    return training.fresh(recipe, classes, side)


def _source(recipe: RecognitionRecipe, pictures: Pictures) -> LabelledSource | AnnotatedSource:
    if isinstance(pictures, AnnotatedPictures):
        return AnnotatedSource(pictures, recipe.crop)
    return LabelledSource(pictures, recipe.shift, recipe.flip)


def _sgd(learned: list[nn.Parameter], rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Momentum by Nesterov; biases and batch norm do not decay."""
    flat = [p for p in learned if p.dim() < 2]
    rest = [p for p in learned if p.dim() >= 2]
    groups = [
        {"params": rest, "weight_decay": weight_decay},
        {"params": flat, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, rate, MOMENTUM, nesterov=True)


def _card(
    network: Normalised,
    recipe: RecognitionRecipe,
    pictures: Pictures,
    file: Path,
    hours: float,
    measured: str,
) -> NetworkCard:
    """The card as it is written beside the weights."""
    width = f", width {recipe.width:g}" if recipe.width != 1 else ""
    conditions = asdict(recipe)
    conditions["teacher"] = Path(recipe.teacher).name
    return NetworkCard(
        network.architecture,
        recipe.name,
        f"{network.architecture} for {TITLES[recipe.data_set]}{width} (bundled)",
        recipe.task,
        licence="Apache-2.0",
        parameters=network.parameter_count,
        bytes=file.stat().st_size,
        classes=tuple(pictures.classes),
        preprocessing=network.preprocessing,
        training={
            **conditions,
            "schedule": "linear warm-up, then cosine to zero",
            "optimiser": f"SGD, Nesterov momentum {MOMENTUM}",
            "data": f"{len(pictures):,} training pictures of {TITLES[recipe.data_set]}",
            "hours": round(hours, 3),
            "machine": machine(),
            "libraries": {"torch": torch.__version__, "torchvision": torchvision.__version__},
            "commit": commit(),
        },
        measured=measured,
    )
