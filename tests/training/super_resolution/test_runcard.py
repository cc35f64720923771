"""The run card: written from a recipe, read back, and what it refuses to rank."""

import json
from dataclasses import asdict, fields, replace

import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import (
    LATER,
    METHOD,
    PROVENANCE,
    RunCard,
    agreed,
    card_from,
    quantized_where,
    require_comparable,
)

RECIPE = Recipe(
    "tiny", 2, features=4, blocks=1, steps=2500, batch=8, patch=24, method="rlq", seed=3
)
CARD = RunCard.of(RECIPE, "2 photographs: here", 0.12345)
CONDITIONS = [f.name for f in fields(RunCard) if f.name not in METHOD | PROVENANCE]


def other(value):
    """A value of the same type that differs."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case _:
            return {**value, "torch": "0"}


def test_the_card_says_what_the_recipe_said():
    shared = {f.name for f in fields(RunCard)} & {f.name for f in fields(Recipe)}
    assert {"steps", "batch", "patch", "learning_rate", "seed", "ema", "k"} <= shared
    for name in shared:
        assert getattr(CARD, name) == getattr(RECIPE, name)
    assert (CARD.data, CARD.hours, CARD.warm_start) == ("2 photographs: here", 0.123, "")
    assert CARD.libraries["torch"] == torch.__version__
    assert CARD.summary == "2,500 steps × 8 × 24²"


def test_a_network_in_full_precision_has_no_quantized_layers():
    card = RunCard.of(replace(RECIPE, method=""), "none", 0)
    assert (card.method, card.layers) == ("fp32", "none")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "head, tail and upsampler FP32"),
        ({"ends": "8bit"}, "head, tail and upsampler 8 bit"),
        ({"first_input_quantized": False}, "the first convolution's input in FP32"),
    ],
)
def test_where_it_is_quantized(change, said):
    text = quantized_where(replace(RECIPE, **change))
    assert said in text
    assert ("first convolution" in text) == ("first_input_quantized" in change)


def test_round_trip_through_json():
    assert card_from(json.loads(json.dumps(asdict(CARD)))) == CARD


def test_cards_written_before_a_line_was_added():
    values = asdict(CARD)
    for line in LATER:
        del values[line]
    assert card_from(values) == CARD


@pytest.mark.parametrize("values", [{}, {**asdict(CARD), "mood": 1}])
def test_what_is_no_run_card(values):
    with pytest.raises(QuantlibError, match="This is no run card"):
        card_from(values)


@pytest.mark.parametrize("line", CONDITIONS)
def test_every_condition_has_to_be_the_same(line):
    changed = replace(CARD, method="lsq", **{line: other(getattr(CARD, line))})
    with pytest.raises(QuantlibError, match=rf"cannot be ranked: {line} is .* for rlq .* for lsq"):
        require_comparable([CARD, CARD, changed])
    require_comparable([CARD, changed], besides={line})


@pytest.mark.parametrize("line", sorted(METHOD | PROVENANCE))
def test_the_method_and_what_a_run_took_may_differ(line):
    require_comparable([CARD, replace(CARD, **{line: other(getattr(CARD, line))})])


def test_lines_on_which_cards_agree():
    found = agreed([CARD, replace(CARD, seed=4), replace(CARD, method="lsq")])
    assert set(asdict(CARD)) - set(found) == {"seed", "method"}
    assert all(getattr(CARD, line) == value for line, value in found.items())
