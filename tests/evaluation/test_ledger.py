import pytest

from quantlib.evaluation.ledger import Ledger
from quantlib.quantizers.sizes import ByteSizes

SITES = {
    "a": ByteSizes(fp32=4000, codes=375, refinement=100, tables=60, scales=32),
    "b": ByteSizes(fp32=800, codes=75, tables=24, scales=4),
}


def test_totals_are_sums():
    ledger = Ledger(SITES)
    assert ledger.as_dict() == {
        "fp32": 4800,
        "codes": 450,
        "refinement": 100,
        "tables": 84,
        "scales": 36,
        "total": 670,
    }
    assert ledger.total.total == 375 + 100 + 60 + 32 + 75 + 24 + 4
    assert ledger.bits_per_activation == pytest.approx(8 * 670 / 1200)
    assert ledger.ratio == pytest.approx(4800 / 670)
    assert list(ledger.sites) == ["a", "b"]


def test_bits_of_one_site():
    assert SITES["b"].bits_per_activation == pytest.approx(8 * 103 / 200)


def test_fp32_is_neither_smaller_nor_larger():
    ledger = Ledger({"a": ByteSizes(fp32=400, codes=400)})
    assert (ledger.ratio, ledger.bits_per_activation) == (1, 32)


@pytest.mark.parametrize("sites", [{}, {"a": ByteSizes()}])
def test_nothing_at_all(sites):
    ledger = Ledger(sites)
    assert (ledger.ratio, ledger.bits_per_activation, ledger.total.total) == (1, 0, 0)
    assert set(ledger.as_dict().values()) == {0}


def test_headers_alone_still_cost_bytes():
    """A tensor without elements has a header: no bits per activation, but no saving either."""
    ledger = Ledger({"a": ByteSizes(tables=20)})
    assert (ledger.bits_per_activation, ledger.ratio) == (0, 0)
