"""The Compare page: which results stand side by side, and that all views of them agree."""

import csv
import io
import json
import random
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.parts.compare.archive import archive
from pages.parts.compare.blind_view import KEY as BLIND
from pages.parts.compare.one_by_one import TITLE as ONE_BY_ONE
from pages.parts.compare.presets import PRESETS
from pages.parts.compare.table import as_csv, rows_of
from pages.parts.figures.viewer import MAX_PANES
from pages.parts.shared.method import nearest_bits
from pages.parts.super_resolution import comparing, series
from pages.parts.super_resolution.column import Column, read, titles_of, written
from pages.parts.super_resolution.comparing import Comparing
from pages.parts.super_resolution.networks import DEFAULT, loaded
from pages.parts.super_resolution.panes import stem_of
from pages.parts.super_resolution.pictures import subject
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation import perceptual
from quantlib.evaluation.ledger import Ledger
from quantlib.evaluation.quality import psnr_rgb
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS
from quantlib.ptq.parameters import PARAMETERS, OneOf, Real, Switch, Whole
from quantlib.tasks.super_resolution import Measurement
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened

SECONDS = 60
TWO = [Column(DEFAULT, Settings("fp32")), Column(DEFAULT, Settings("direct", 3))]
NONSENSE = [
    "nonsense",
    ";;;",
    ",",
    "builtin:edsr-x2",
    "builtin:edsr-x2,magic",
    "builtin:edsr-x2,dqa,bits=99",
    "builtin:edsr-x2,dqa,bits=nan",
    "builtin:edsr-x2,dqa,r=inf",
    "builtin:edsr-x2,direct,m=3",
    "builtin:edsr-x2,direct,unsigned=perhaps",
    "builtin:edsr-x2,dqa,bits",
    "/etc/passwd,fp32",
    "..%2F..%2Fetc%2Fpasswd,fp32",
    "<b>" * 500,
]


@pytest.fixture
def quick_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what searches for seconds before its first pass."""
    for name in ("entropy", "noisyquant"):
        monkeypatch.delitem(METHODS, name)


def choices(settings: Settings) -> Choices:
    network = loaded(DEFAULT)
    return Choices(subject("cat", network.scale), network, settings)


def result(settings: Settings, rgb: np.ndarray | None = None) -> Result:
    rgb = np.zeros((8, 8, 3), np.uint8) if rgb is None else rgb
    made = Measurement(rgb, Ledger({}), 0.25, 2)
    (title,) = titles_of([Column(DEFAULT, settings)])
    return Result(title, loaded(DEFAULT), settings, made)


def one_by_one(columns: list[Column] | str, **query: str) -> AppTest:
    text = columns if isinstance(columns, str) else written(columns)
    return opened("compare", picture="Cat", preset=ONE_BY_ONE, columns=text, **query)


def rows(app: AppTest) -> list[dict]:
    return app.dataframe[0].value.to_dict("records") if app.dataframe else []


def panes(app: AppTest) -> list[dict]:
    components = (json.loads(one.proto.json) for one in app.get("bidi_component"))  # type: ignore
    return next((data["panes"] for data in components if "panes" in data), [])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("preset", PRESETS)
def test_full_precision_stands_first_beside_what_has_room(name, preset):
    columns = PRESETS[preset].columns(choices(Settings(name, 4)))
    assert columns[0].settings.method == "fp32"
    assert len(set(columns)) == len(columns) <= MAX_PANES
    assert all(one.settings.entry.quantizes for one in columns[1:])


def test_the_same_bits_are_asked_of_every_method():
    chosen = Settings("dqa", 3, extra_bits=1, important=0.2)
    _, *beside = PRESETS["Same bits"].columns(choices(chosen))
    settings = [one.settings for one in beside]
    assert chosen in settings
    assert {one.rate for one in settings} == {3}
    assert len({one.method for one in settings}) == len(settings) >= 4


def test_fewer_and_fewer_bits_in_every_pane(monkeypatch):
    monkeypatch.setattr(series, "STRIP", (8, 6, 5, 4, 3, 2))
    _, *beside = PRESETS["Fewer and fewer bits"].columns(choices(Settings("direct", 4)))
    assert [one.settings.bits for one in beside] == [8, 6, 4, 3, 2]
    assert {one.settings.method for one in beside} == {"direct"}


def test_what_is_learned_stands_beside_what_is_not():
    def asked(preset: str) -> list[Settings]:
        return [one.settings for one in PRESETS[preset].columns(choices(Settings("dqa", 3)))[1:]]

    learned = [(one.method, one.bits) for one in asked("After training or learned")]
    assert learned == [("direct", 4), ("rlq", 4), ("direct", 2), ("rlq", 2)]
    depths = [(one.bits, one.depth) for one in asked("Depths")]
    assert depths == [(2, "full"), (2, "half"), (2, "quarter")]
    first, *rivals = asked("RLQ and its rivals")
    assert first == Settings("rlq", 4) and {one.bits for one in rivals} == {4}
    assert len({one.method for one in rivals}) == len(rivals) == 4


def test_methods_are_fitted_to_the_same_bytes(quick_methods):
    app = opened("compare", picture="Cat", preset="Same bytes", bits="3", m="2")
    assert fine(app)
    _, *quantized = rows(app)
    own = next(row for row in quantized if row["result"] == "3-bit DQA")
    spent = {row["result"]: row["bits per activation"] for row in quantized}
    assert len(spent) == 4
    wanted = own["bits per activation"]
    close = [name for name, one in spent.items() if abs(one / wanted - 1) < 0.02]
    assert len(close) >= 2 and any("entropy-coded" in name for name in close)
    assert all(abs(one - wanted) <= 0.55 for one in spent.values())  # whole bits
    said = " ".join(captions(app))
    assert "fitted to this picture" in said
    app = opened("compare", picture="Cat", preset="Same bytes", method="FP32")
    assert fine(app) and "one that quantizes" in app.info[0].value


def at_random(draw: random.Random) -> Settings:
    name = draw.choice(list(METHODS))
    values = {}
    for field, p in PARAMETERS.items():
        match p:
            case Whole():
                value = draw.randint(p.low, p.high)
            case Real():
                value = round(draw.uniform(0.01, min(p.high, 8)), 2)
            case OneOf():
                value = draw.choice(p.choices)
            case Switch():
                value = draw.random() < 0.5
            case _:
                raise AssertionError(p)
        if METHODS[name].takes(field) or field == "depth":
            values[field] = value
    if METHODS[name].budgeted:
        values["bits"] = nearest_bits(values["bits_per_activation"])
    return Settings(name, **values)


def test_columns_come_back_from_the_address():
    draw = random.Random(0)
    names = [DEFAULT, "hub:acme/net@main:a b,c;d=e.pth?bits=2,4", "hub:eugenesiow/pan"]
    for _ in range(200):
        columns = [Column(draw.choice(names), at_random(draw)) for _ in range(MAX_PANES)]
        columns = list(dict.fromkeys(columns))
        assert read(written(columns)) == (columns, 0)
        titles = titles_of(columns)
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_columns_that_cannot_be_read_are_one_sentence(nonsense):
    app = one_by_one(nonsense)
    assert fine(app)
    assert len(app.warning) == (0 if nonsense == ";;;" else 1)
    assert [row["result"] for row in rows(app)] == ["FP32"]
    assert not any("passwd" in one.value or "<b>" in one.value for one in app.warning)


def test_what_can_be_read_stays_beside_what_cannot():
    app = one_by_one(f"{written(TWO)};nonsense;builtin:nothing,fp32;builtin:edsr-x4,fp32")
    assert not app.exception
    assert [row["result"] for row in rows(app)] == ["FP32", "3-bit direct"]
    assert len(app.warning) == 1
    assert len(app.error) == 2 and "enlarges 4 times" in app.error[1].value


def test_columns_are_added_and_removed_one_by_one():
    app = one_by_one("", method="Direct", bits="3")
    assert fine(app) and [row["result"] for row in rows(app)] == ["FP32"]
    assert app.button(key="add column").label == "Add 3-bit direct"
    app.button(key="add column").click().run()
    assert fine(app) and app.query_params["columns"] == written(TWO)
    assert [row["result"] for row in rows(app)] == ["FP32", "3-bit direct"]
    assert app.button(key="add column").disabled
    app.slider(key="bits").set_value(2).run()
    assert [row["result"] for row in rows(app)] == ["FP32", "3-bit direct"]
    app.button(key="add column").click().run()
    app.selectbox(key="method").set_value("rlq").run()
    app.button(key="add column").click().run()
    full = [row["result"] for row in rows(app)]
    assert fine(app) and full == ["FP32", "3-bit direct", "2-bit direct", "4-bit RLQ"]
    app.button(key="remove 1").click().run()
    assert [row["result"] for row in rows(app)] == ["FP32", "2-bit direct", "4-bit RLQ"]
    again = one_by_one(app.query_params["columns"])
    assert rows(again) == rows(app)
    assert [pane["name"] for pane in panes(again)] == [row["result"] for row in rows(app)]


def test_there_is_room_for_six():
    seven = [Column(DEFAULT, Settings("direct", bits)) for bits in range(2, 9)]
    app = one_by_one(seven)
    assert fine(app) and len(rows(app)) == len(panes(app)) == MAX_PANES
    assert "room for 6" in app.warning[0].value
    assert app.button(key="add column").disabled


def test_a_preset_is_changed_one_by_one():
    app = opened("compare", picture="Cat", method="RLQ", preset="Depths")
    before = rows(app)
    app.button(key="change columns").click().run()
    assert fine(app) and app.segmented_control(key="preset").value == ONE_BY_ONE
    assert rows(app) == before
    app.button(key="remove 0").click().run()
    assert [row["result"] for row in rows(app)] == [row["result"] for row in before[1:]]


def test_networks_stand_side_by_side():
    other = "builtin:quantsr-c-x2-w4a4"
    app = one_by_one([*TWO, Column(other, Settings("rlq", 4))])
    assert fine(app)
    assert [row["result"] for row in rows(app)] == [
        "edsr-x2, FP32",
        "edsr-x2, 3-bit direct",
        "quantsr-c-x2-w4a4, 4-bit RLQ",
    ]


def test_one_column_that_fails_leaves_the_others():
    greedy = Column(DEFAULT, Settings("dqa", 5, criterion="greedy"))
    none = Column(DEFAULT, Settings("rlq", 3))
    app = one_by_one([*TWO, greedy, none])
    assert not app.exception and len(rows(app)) == 2
    said = sorted(one.value for one in app.error)
    assert len(said) == 2 and "no greedy search yet" in said[0] and "No RLQ weights" in said[1]


def test_results_come_one_by_one_and_stop_keeps_them(monkeypatch):
    go_on, measure = threading.Event(), Comparing._through

    def slow(self: Comparing, column: Column, settings: Settings) -> Measurement:
        if settings.bits == 2:
            go_on.wait(SECONDS)
        return measure(self, column, settings)

    monkeypatch.setattr(Comparing, "_through", slow)
    monkeypatch.setattr(comparing, "PATIENCE", 0.01)
    app = one_by_one([*TWO, Column(DEFAULT, Settings("direct", 2))])
    run: Comparing = app.session_state[comparing.KEY]
    while run.done < 2:
        assert run.running
        threading.Event().wait(0.05)
    app.run()
    assert fine(app) and [row["result"] for row in rows(app)] == ["FP32", "3-bit direct"]
    assert len(panes(app)) == 2 and run.running
    assert run.progress.text.startswith("Measuring: 2 of 3, about ")
    app.button(key="stop comparing").click().run()
    run.wait(SECONDS)
    app.run()
    assert fine(app) and len(rows(app)) == 2
    assert any("2 of 3 results are here" in one for one in captions(app))
    go_on.set()
    monkeypatch.setattr(comparing, "PATIENCE", SECONDS)
    app.button(key="go on").click().run()
    app.run()
    assert fine(app) and len(rows(app)) == 3
    assert app.session_state[comparing.KEY] is not run


def test_all_results_come_in_one_file():
    chosen, rng = choices(Settings("dqa", 3)), np.random.default_rng(0)
    results = [
        result(one, rng.integers(0, 256, (8, 8, 3), np.uint8))
        for one in (Settings("fp32"), Settings("dqa", 3), Settings("dqa", 2, depth="half"))
    ]
    held = zipfile.ZipFile(io.BytesIO(archive(chosen, results)))
    *pictures, card = held.namelist()
    assert pictures == [
        "cat-x2-fp32.png",
        "cat-x2-dqa-n3m3r40.png",
        "cat-x2-dqa-n2m3r40-half.png",
    ]
    for name, one in zip(pictures, results, strict=True):
        assert np.array_equal(np.asarray(Image.open(held.open(name))), one.made.rgb)
    said = json.loads(held.read(card))
    assert [one["file"] for one in said["results"]] == pictures
    assert said["results"][1]["settings"][:4] == ["--method", "dqa", "--bits", "3"]
    assert all("Weights: " in one["provenance"] for one in said["results"])


def test_files_of_several_networks_have_names_of_their_own():
    same = [result(Settings("rlq", 4)), result(Settings("rlq", 4))]
    same[1] = replace(same[1], network=loaded("builtin:quantsr-c-x2-w4a4"))
    held = zipfile.ZipFile(io.BytesIO(archive(choices(Settings("fp32")), same)))
    assert held.namelist()[:2] == ["1-cat-x2-rlq-n4.png", "2-cat-x2-rlq-n4.png"]


def test_names_of_files_hold_no_folder():
    cat = choices(Settings("fp32")).subject
    assert stem_of(replace(cat, source="../../my photo.final.jpg"), 2) == "my-photo-final-x2"
    assert stem_of(replace(cat, source="C:\\pictures\\cat.png"), 4) == "C-pictures-cat-x4"
    assert stem_of(replace(cat, source="[].png"), 4) == "picture-x4"


def test_the_table_is_the_csv():
    rows = rows_of([result(Settings("fp32"))])
    (row,) = csv.DictReader(io.StringIO(as_csv(rows)))
    assert (
        row["result"] == "FP32" and row["PSNR in dB"] == "" and row["seconds, simulated"] == "0.25"
    )


def test_panes_and_table_tell_the_same():
    app = opened("compare", picture="Cat", method="Direct")
    assert fine(app)
    table = rows(app)
    assert [pane["name"] for pane in panes(app)] == [row["result"] for row in table]
    for pane, row in zip(panes(app), table, strict=True):
        assert pane["facts"][0] == f"{row['PSNR in dB']:.2f} dB"
        assert pane["facts"][2] == f"{row['bytes of activations'] / 1024:,.0f} KiB"
    sizes = [row["bytes of activations"] for row in table]
    assert sizes == sorted(sizes, reverse=True)
    run: Comparing = app.session_state[comparing.KEY]
    for row, one in zip(table, run.results, strict=True):
        truth = run.subject.truth
        assert truth is not None
        assert row["PSNR of RGB in dB"] == round(psnr_rgb(one.made.rgb, truth, 2), 2)


@pytest.mark.parametrize("there", [True, False])
def test_a_learned_measure_is_shown_or_its_absence_said(there, monkeypatch):
    from pages.parts.compare import table
    from quantlib.tasks import super_resolution

    monkeypatch.setattr(table, "backbone", lambda: "alex" if there else None)
    monkeypatch.setattr(super_resolution, "lpips", lambda a, b, scale: 0.125 if there else None)
    app = one_by_one([Column(DEFAULT, Settings("direct", 7))])
    assert fine(app)
    said = captions(app)
    if there:
        assert rows(app)[0]["LPIPS (AlexNet)"] == 0.125
    assert any(perceptual.MISSING in one for one in said) == (not there)


def test_full_precision_alone_says_what_to_do(quick_methods):
    app = opened("compare", picture="Cat", method="FP32")
    assert fine(app)
    assert "choose another method" in app.info[0].value
    app = opened("compare", picture="Cat", method="FP32", preset="Same bits")
    assert fine(app)
    assert panes(app) and not app.info


@pytest.mark.parametrize("preset", PRESETS)
def test_rlq_stands_beside_full_precision(preset, quick_methods):
    app = opened("compare", picture="Cat", method="RLQ", preset=preset)
    assert fine(app)
    assert panes(app)


def test_a_blind_test_names_nothing_before_its_score():
    app = one_by_one(TWO)
    app.button(key="begin blind").click().run()
    assert fine(app) and not app.dataframe
    for number in range(1, 11):
        assert f"Round {number} of 10: Which is FP32?" in app.subheader[0].value
        shown = panes(app)
        assert [one["name"] for one in shown] == ["A", "B", "Reference: the original"]
        assert all(not one["facts"] for one in shown)
        test = app.session_state[BLIND].test
        right = "A" if test.current.a == "FP32" else "B"
        wrong = "B" if right == "A" else "A"
        app.button(key=f"answer {right if number > 1 else wrong}").click().run()
        assert fine(app)
    assert app.subheader[0].value == (
        "FP32 was found in 9 of 10 rounds. Guessing does as well or better with a probability of "
        "1.1%."
    )
    assert {row["chosen"] for row in rows(app)} == {"FP32", "3-bit direct"}
    app.button(key="end blind").click().run()
    assert fine(app) and [row["result"] for row in rows(app)] == ["FP32", "3-bit direct"]
    assert BLIND not in app.session_state


def test_a_blind_test_of_liking_takes_any_two_and_ends_when_asked():
    app = one_by_one([*TWO, Column(DEFAULT, Settings("direct", 2))])
    app.segmented_control(key="ask").set_value("Which do you like better?").run()
    app.selectbox(key="blind one").set_value("2-bit direct").run()
    app.selectbox(key="blind other").set_value("3-bit direct").run()
    app.button(key="begin blind").click().run()
    assert fine(app) and "like better" in app.subheader[0].value
    test = app.session_state[BLIND].test
    assert {one.a for one in test.rounds} <= {"2-bit direct", "3-bit direct"}
    app.button(key="end blind").click().run()
    assert fine(app) and len(rows(app)) == 3


def test_a_blind_test_needs_something_to_tell_apart():
    app = one_by_one([Column(DEFAULT, Settings("fp32"))])
    assert fine(app) and "begin blind" not in {one.key for one in app.button}
    assert any("needs FP32 and a quantized" in one for one in captions(app))
