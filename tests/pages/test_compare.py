"""The Compare page: which results stand side by side, and that all views of them agree."""

import csv
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pages.parts.compare.archive import archive, file_name
from pages.parts.compare.presets import PRESETS
from pages.parts.compare.table import as_csv, rows_of
from pages.parts.figures.viewer import MAX_PANES
from pages.parts.super_resolution.networks import DEFAULT, loaded
from pages.parts.super_resolution.pictures import subject
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.ledger import Ledger
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS
from quantlib.tasks.super_resolution import Measurement
from tests.pages.test_pages import fine, opened


def choices(settings: Settings) -> Choices:
    network = loaded(DEFAULT)
    return Choices(subject("cat", network.scale), network, settings)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("preset", PRESETS)
def test_full_precision_stands_first_beside_what_has_room(name, preset):
    columns = PRESETS[preset].columns(choices(Settings(name, 4)))
    assert columns[0].method == "fp32"
    assert len(set(columns)) == len(columns) <= MAX_PANES
    assert all(one.entry.quantizes for one in columns[1:])


def test_the_same_bits_are_asked_of_every_method():
    chosen = Settings("dqa", 3, extra_bits=1, important=0.2)
    _, *beside = PRESETS["Same bits"].columns(choices(chosen))
    assert chosen in beside
    assert {one.rate for one in beside} == {3}
    assert len({one.method for one in beside}) == len(beside) >= 4


def test_a_bit_less_in_every_pane():
    _, *beside = PRESETS["Fewer and fewer bits"].columns(choices(Settings("direct", 4)))
    assert [one.bits for one in beside] == [6, 5, 4, 3, 2]
    assert {one.method for one in beside} == {"direct"}


def test_what_is_learned_stands_beside_what_is_not():
    _, *beside = PRESETS["After training or learned"].columns(choices(Settings("dqa", 3)))
    assert [(one.method, one.bits) for one in beside] == [
        ("direct", 4),
        ("rlq", 4),
        ("direct", 2),
        ("rlq", 2),
    ]
    _, *depths = PRESETS["Depths"].columns(choices(Settings("dqa", 3)))
    assert [(one.bits, one.depth) for one in depths] == [
        (2, "full"),
        (2, "half"),
        (2, "quarter"),
    ]


def test_all_results_come_in_one_file():
    chosen, rng = choices(Settings("dqa", 3)), np.random.default_rng(0)
    found = {
        one: Measurement(rng.integers(0, 256, (8, 8, 3), np.uint8), Ledger({}), 0.25, 2)
        for one in (Settings("fp32"), Settings("dqa", 3), Settings("dqa", 2, depth="half"))
    }
    held = zipfile.ZipFile(io.BytesIO(archive(chosen, found)))
    *pictures, card = held.namelist()
    assert pictures == [
        "cat-x2-fp32.png",
        "cat-x2-dqa-n3m3r40.png",
        "cat-x2-dqa-n2m3r40-half.png",
    ]
    for name, made in zip(pictures, found.values(), strict=True):
        assert np.array_equal(np.asarray(Image.open(held.open(name))), made.rgb)
    said = json.loads(held.read(card))
    assert [one["file"] for one in said["results"]] == pictures
    assert said["results"][1]["settings"][:4] == ["--method", "dqa", "--bits", "3"]
    assert "Weights: " in said["provenance"]


def test_names_of_files_hold_no_folder():
    named = replace(choices(Settings("fp32")).subject, source="../../my photo.final.jpg")
    chosen = replace(choices(Settings("fp32")), subject=named)
    assert file_name(chosen, Settings("fp32")) == "my-photo-final-x2-fp32.png"


def test_the_table_is_the_csv():
    made = Measurement(np.zeros((8, 8, 3), np.uint8), Ledger({}), 0.25, 2)
    rows = rows_of({Settings("fp32"): made})
    (row,) = csv.DictReader(io.StringIO(as_csv(rows)))
    assert (
        row["result"] == "FP32" and row["PSNR in dB"] == "" and row["seconds, simulated"] == "0.25"
    )


def test_panes_and_table_tell_the_same():
    page = opened("compare", picture="Cat", method="Direct")
    assert fine(page)
    data = json.loads(page.get("bidi_component")[0].proto.json)
    rows = page.dataframe[0].value.to_dict("records")
    assert [pane["name"] for pane in data["panes"]] == [row["result"] for row in rows]
    for pane, row in zip(data["panes"], rows, strict=True):
        assert pane["facts"][0] == f"{row['PSNR in dB']:.2f} dB"
        assert pane["facts"][2] == f"{row['bytes of activations'] / 1024:,.0f} KiB"
    sizes = [row["bytes of activations"] for row in rows]
    assert sizes == sorted(sizes, reverse=True)


def test_full_precision_alone_says_what_to_do():
    page = opened("compare", picture="Cat", method="FP32")
    assert fine(page)
    assert "choose another method" in page.info[0].value
    page = opened("compare", picture="Cat", method="FP32", preset="Same bits")
    assert fine(page)
    assert page.get("bidi_component") and not page.info


@pytest.mark.parametrize("preset", PRESETS)
def test_rlq_stands_beside_full_precision(preset):
    page = opened("compare", picture="Cat", method="RLQ", preset=preset)
    assert fine(page)
    assert page.get("bidi_component")
