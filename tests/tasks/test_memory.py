"""Bytes held and moved, in the order that theory gives."""

import torch

from quantlib.models import load
from quantlib.runtime.bands import InBands
from quantlib.tasks.memory import MODEL, ROWS, held, peak, photograph, requirements


def test_every_form_is_measured():
    found = list(held((64,)))
    by_form = {one.form: one for one in found}
    assert len(by_form) == len(found) == 7
    plain = by_form["FP32"]
    assert plain.moved is not None
    for form, one in by_form.items():
        if one.moved is not None and form != "FP32":
            assert one.moved < plain.moved
            codes = by_form[form.partition(",")[0]]
            assert one.moved <= (codes.moved or 0)


def test_bands_are_required_to_hold_less():
    (one,) = requirements(256)
    network, x = load(MODEL), photograph(256)
    with torch.inference_mode():
        whole, bands = network(x), InBands(network, network, ROWS)(x)
        assert one.figure > 1 and peak(network, x) > peak(InBands(network, network, ROWS), x)
    torch.testing.assert_close(bands, whole, atol=1e-5, rtol=0)


def test_a_photograph_of_any_side():
    for side in (30, 256, 300, 520):
        assert photograph(side).shape == (1, 3, side, side)
    assert torch.equal(photograph(300)[..., 255], photograph(300)[..., 256])
