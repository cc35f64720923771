"""NOTICE says whose everything is that is bundled, and under what licence."""

import json
import re
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest

from quantlib.imaging.samples import SAMPLES
from tests.architecture.test_repository import ROOT, tracked

TEXT = (ROOT / "NOTICE").read_text("utf-8")
BUNDLED = sorted(path.as_posix() for path in tracked() if path.parts[0] == "assets")
CARDS = sorted((ROOT / "assets" / "weights").glob("*.json"))
NAMES = {
    "t91": "T91",
    "bsds": "BSDS500",
    "digits": "digits",
    "cifar": "CIFAR-10",
    "camvid": "CamVid",
}
KNOWN = {"Apache-2.0"}
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".cff",
    ".sh",
    ".service",
    ".conf",
    ".json",
    ".typed",
    "",
}


class Entry(NamedTuple):
    patterns: list[str]
    text: str
    licence: str

    def speaks_of(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.patterns)


def entries(text: str) -> list[Entry]:
    """The paragraphs that begin with paths."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        patterns = [line for line in lines if line.startswith("assets/")]
        if patterns:
            said = " ".join(line.strip() for line in lines if line.startswith("    "))
            about, _, licence = said.partition(" Licence: ")
            assert len(patterns) + paragraph.count("\n    ") == len(lines), paragraph
            found.append(Entry(patterns, about, licence))
    return found


def about(path: str) -> Entry:
    (entry,) = [entry for entry in entries(TEXT) if entry.speaks_of(path)]
    return entry


@pytest.mark.parametrize("path", BUNDLED)
def test_every_bundled_file_has_one_entry_with_a_licence(path):
    entry = about(path)
    assert entry.text
    assert re.split("[, ]", entry.licence)[0] in KNOWN


def test_no_entry_is_left_of_what_has_gone():
    for entry in entries(TEXT):
        for pattern in entry.patterns:
            assert any(fnmatchcase(path, pattern) for path in BUNDLED), pattern


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
def test_a_network_has_its_card_s_licence_data_and_teacher(card):
    said, entry = json.loads(card.read_text("utf-8")), about(f"assets/weights/{card.name}")
    assert entry.licence == said["licence"]
    training = said["training"]
    data = training["data"].lower()
    trained_on = {name for key, name in NAMES.items() if key in data}
    assert trained_on
    assert {name for name in NAMES.values() if name in entry.text} == trained_on
    teacher = training.get("teacher") or ""
    assert teacher.startswith("builtin:") or teacher in entry.text


@pytest.mark.parametrize("sample", SAMPLES[:-1], ids=lambda sample: sample.key)
def test_photographs_of_packages_are_credited(sample):
    assert f"{sample.title}: {sample.credit}" in " ".join(TEXT.split())


def test_nothing_but_text_is_bundled_elsewhere():
    others = [path for path in tracked() if path.parts[0] != "assets"]
    assert {path.suffix for path in others} <= TEXTS
    assert "Astronaut" in about("assets/screenshot.png").text


def test_a_file_without_an_entry_is_found():
    with pytest.raises(ValueError):
        about("assets/fonts/somebody.woff2")
