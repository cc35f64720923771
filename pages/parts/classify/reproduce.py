"""The Reproduce lines of the page for classifiers."""

from pages.parts.classify.classifying import batch_of
from pages.parts.classify.pictures import CIFAR10, DIGITS, OWN_FILE, LabelledData
from pages.parts.recognition.networks import Recogniser
from pages.parts.shared.reproduce import command_line
from quantlib.ptq import Settings


def command(data: LabelledData, network: Recogniser, settings: Settings) -> str | None:
    """The command line that measures the same; there is none for an uploaded data set."""
    if data.source == OWN_FILE:
        return None
    pictures = data.pictures
    words = ["--model", network.name, "--data", data.name]
    words += ["--limit", str(len(pictures)), "--batch", str(batch_of(pictures))]
    return command_line("classify", *words, *settings.flags(), "--json")


def python_lines(data: LabelledData, network: Recogniser, settings: Settings) -> str:
    count, held = len(data.pictures), data.calibrated_on
    imports, pictures, calibration = {
        DIGITS: (
            "from quantlib.datasets.folders import read_digits\n",
            f"read_digits()[:{count}]",
            f'read_digits("train")[:{held}]',
        ),
        CIFAR10: (
            "from quantlib.tasks.cifar10 import cifar10\n",
            f'cifar10("test", {count})',
            f'cifar10("train", {held})',
        ),
        OWN_FILE: (
            "from pathlib import Path\n\nfrom quantlib.datasets.reading import read_parquet_file\n",
            f"read_parquet_file(Path({data.name!r}), {held + count})[{held}:]",
            f"read_parquet_file(Path({data.name!r}), {held})",
        ),
    }[data.source]
    return (
        f"{imports}"
        "from quantlib.tasks.classification import classify\n"
        "from quantlib.models import load_classifier\n"
        "from quantlib.ptq import Settings\n\n"
        f"settings = {settings!r}\n"
        f"pictures = {pictures}\n"
        f"calibration = {calibration}\n"
        f"classifier = load_classifier({network.name!r})\n"
        f"batch = {batch_of(data.pictures)}\n"
        "result = classify(classifier, settings, pictures, calibration, batch)\n"
        "print(result.accuracy, result.ledger.total.total, result.ledger.bits_per_activation)\n"
    )
