"""The published numbers: all have a source, and those that follow from each other agree."""

from pathlib import Path

import pytest

from quantlib.errors import QuantlibError
from quantlib.evaluation.published import HOW, PublishedPSNR, read_published

PUBLISHED = read_published()


def psnr(method: str, scale: int, bits: float, benchmark: str, network: str = "") -> float:
    found = [
        row.psnr_y[benchmark]
        for row in PUBLISHED.super_resolution
        if (row.method, row.scale, row.bits) == (method, scale, bits)
        and benchmark in row.psnr_y
        and network in row.network
    ]
    assert len(found) == 1
    return found[0]


def test_every_number_says_where_it_comes_from():
    everything = [*PUBLISHED.super_resolution, *PUBLISHED.classification, *PUBLISHED.cautions]
    assert everything
    for entry in everything:
        assert entry.source.title and HOW[entry.source.how] in str(entry.source)


def test_no_number_is_there_twice():
    rows: list[PublishedPSNR] = list(PUBLISHED.super_resolution)
    keys = [(r.method, r.network, r.scale, r.bits) for r in rows]
    assert len(keys) == len(set(keys))


def test_psnr_is_in_the_range_of_its_scale():
    for row in PUBLISHED.super_resolution:
        full = {2: (38.2, 32.8), 4: (32.5, 26.5)}[row.scale]
        for benchmark, ceiling in zip(("set5", "urban100"), full, strict=True):
            assert ceiling - 9 < row.psnr_y.get(benchmark, ceiling) <= ceiling, row


def test_differences_that_the_note_states():
    assert psnr("QuantSR-C", 2, 4, "urban100") - psnr("DoReFa", 2, 8, "urban100") == pytest.approx(
        0.21
    )
    for bits, difference in ((4, 0.79), (2, 1.76)):
        ours, theirs = (psnr(m, 2, bits, "urban100") for m in ("QuantSR-C", "CADyQ"))
        assert ours - theirs == pytest.approx(difference)


def test_the_headline_of_dqa_is_against_direct_quantization():
    accuracy = next(
        row.accuracy for row in PUBLISHED.classification if row.network == "ResNet-32, CIFAR-10"
    )
    assert accuracy["eDQA"] - accuracy["Direct"] == pytest.approx(29.28)
    assert accuracy["eDQA"] - accuracy["NoisyQuant"] == pytest.approx(10.91)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        "sources = 3",
        '[sources.a]\ntitle = "A"\nhow = "hearsay"',
        '[sources.a]\ntitle = "A"\nhow = "text"\n[[cautions]]\nabout = "dqa"\ntext = "T"',
        '[sources.a]\ntitle = "A"\nhow = "text"\n'
        '[[cautions]]\nabout = "dqa"\ntext = "T"\nsource = "b"',
    ],
)
def test_a_file_without_sources(tmp_path: Path, text):
    file = tmp_path / "published.toml"
    file.write_text(text)
    with pytest.raises(QuantlibError, match=r"published.toml holds no published numbers"):
        read_published(file)
