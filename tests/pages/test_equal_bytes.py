"""Readings at equal bytes, against NumPy's interpolation and by exhaustive comparison."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.parts.memory.equal_bytes import Reading, read, verdict
from pages.parts.memory.frontier import Point, as_csv, families, table
from quantlib.ptq import Settings
from quantlib.quantizers.sizes import ByteSizes

POINTS = st.lists(
    st.tuples(st.floats(0.5, 8), st.floats(10, 50)),
    min_size=1,
    max_size=12,
    unique_by=lambda p: p[0],
)


def point(settings: Settings, total: int, psnr_y: float) -> Point:
    return Point(settings, ByteSizes(fp32=3200, codes=total - 8, scales=8), psnr_y)


@given(st.lists(st.floats(0.5, 8), min_size=2, max_size=9, unique=True), st.floats(0, 1))
def test_rising_curves_are_interpolated_as_numpy_does(bits, share):
    bits = sorted(bits)
    quality = [20 + i for i in range(len(bits))]
    at = bits[0] + share * (bits[-1] - bits[0])
    at = min(max(at, bits[0]), bits[-1])
    found = read(list(zip(bits, quality, strict=True)), at).psnr_y
    assert found == pytest.approx(np.interp(at, bits, quality))


@given(POINTS, st.floats(0, 9))
def test_a_reading_lies_between_the_best_points_around_it(points, at):
    found = read(points, at)
    bits = [p[0] for p in points]
    assert (found.lowest, found.highest) == (min(bits), max(bits))
    if not min(bits) <= at <= max(bits):
        assert found.psnr_y is None
        return
    affordable = max(quality for cost, quality in points if cost <= at)
    assert found.psnr_y is not None
    assert affordable - 1e-9 <= found.psnr_y <= max(quality for _, quality in points) + 1e-9


def test_points_that_a_cheaper_one_equals_do_not_count():
    points = [(1.0, 30.0), (2.0, 25.0), (3.0, 32.0), (4.0, 31.0)]
    assert read(points, 2.0).psnr_y == pytest.approx(31.0)
    assert read(points, 3.7).psnr_y == 32.0
    assert read(points, 4.1) == Reading(None, 1.0, 4.0)


def test_the_verdict_names_who_loses():
    found = {
        "plain uniform": Reading(31.0, 2, 8),
        "power-of-two": Reading(29.5, 2, 4),
        "DQA": Reading(31.2, 2, 7),
        "entropy coding": Reading(None, 1, 2),
    }
    assert verdict(found, 3) == (
        "At 3.00 bits per activation these lose to plain uniform (31.00 dB): "
        "power-of-two (\N{MINUS SIGN}1.50 dB)."
    )
    del found["power-of-two"]
    assert "no method that was measured there loses" in verdict(found, 3)
    found["plain uniform"] = Reading(None, 2, 8)
    assert "plain uniform was not measured" in verdict(found, 1)


def test_variants_of_a_method_are_lines_of_their_own():
    points = [
        point(Settings("direct", 3), 300, 31),
        point(Settings("direct", 2), 200, 30),
        point(Settings("direct", 3, clip="mse"), 300, 32),
        point(Settings("direct", 3, unsigned=True), 300, 31),
        point(Settings("dqa", 3), 350, 33),
        point(Settings("dqa-ans", 3), 250, 33),
    ]
    found = families(points)
    assert [p.kib * 1024 for p in found["plain uniform"]] == [200, 300]
    assert set(found) == {
        *("plain uniform", "uniform, MSE clip", "uniform, unsigned", "DQA", "DQA, coded base")
    }


def test_the_file_holds_every_point_with_units():
    points = [point(Settings("dqa", 3), 350, 33.21), point(Settings("direct", 2), 200, 30)]
    rows = list(csv.DictReader(io.StringIO(as_csv(table(points)))))
    assert [row["method"] for row in rows] == ["plain uniform", "DQA"]
    assert rows[1]["m in bits"] == "3" and rows[0]["m in bits"] == ""
    assert [int(row["total in bytes"]) for row in rows] == [200, 350]
    assert float(rows[1]["bits per activation"]) == pytest.approx(32 * 350 / 3200)
    assert float(rows[1]["PSNR in dB"]) == 33.21
