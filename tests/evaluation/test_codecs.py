"""Codecs on the symbols of a whole network, against what its encoded tensors hold."""

import sys

import numpy as np
import pytest
import torch

from quantlib.coding import huffman
from quantlib.coding.codecs import CODECS, Layout
from quantlib.coding.packing import unpack
from quantlib.coding.varint import varint
from quantlib.errors import QuantlibError
from quantlib.evaluation.codecs import (
    CodecFigures,
    CodedSymbols,
    compare_codecs,
    entropy_per_symbol,
    together,
)
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import Settings, SiteNetwork, quantize
from quantlib.quantizers.dqa import DQATensor

FEATURES, BLOCKS = 6, 2
PICTURE = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))


def quantized(settings: Settings):
    torch.manual_seed(0)
    sites = SiteNetwork(EDSR(2, FEATURES, BLOCKS).eval(), PICTURE)
    masks = {s.name: torch.arange(s.channels) < 1 + i % 3 for i, s in enumerate(sites.sites)}
    return quantize(sites, settings, masks)


def entropy(rows: np.ndarray) -> float:
    shares = [np.bincount(row - rows.min()) / row.size for row in rows]
    return float(np.mean([-sum(p * np.log2(p) for p in share if p) for share in shares]))


def test_symbols_are_those_of_the_encoded_network():
    network = quantized(Settings("dqa", 3, 2))
    found = compare_codecs(network, PICTURE)
    encoded = network.encode(PICTURE)
    assert [one.site for one in found.codes] == [one.site for one in found.errors] == list(encoded)
    assert not found.missing
    for codes, errors in zip(found.codes, found.errors, strict=True):
        tensor = encoded[codes.site]
        assert isinstance(tensor, DQATensor)
        narrow = unpack(tensor.codes, 3, True, tensor.shape)[0].reshape(FEATURES, -1)
        lost = np.stack([huffman.decode(payload) for payload in tensor.refinement])
        for symbols, bits, signed, one in ((narrow, 3, True, codes), (lost, 2, False, errors)):
            assert (one.symbols, one.bits) == (symbols.size, bits)
            assert one.entropy == pytest.approx(entropy(symbols.astype(int)))
            layout = Layout((symbols.shape[0], symbols.shape[1]), bits, signed)
            for codec in CODECS:
                assert one.codecs[codec.name].bytes == len(codec.encode(symbols, layout))
                assert one.encode_rate(codec.name) > 0 and one.decode_rate(codec.name) > 0
        assert codes.codecs["raw"].bytes == tensor.sizes.codes
        payloads = sum(len(varint(len(row))) + len(row) for row in tensor.refinement)
        assert errors.codecs["huffman-channel"].bytes == payloads


@pytest.mark.parametrize("method", ["dqa", "dqa-ans"])
def test_both_ways_of_storing_have_the_same_symbols(method):
    found = compare_codecs(quantized(Settings(method, 3, 2)), PICTURE)
    assert together(found.codes).symbols == PICTURE[0, 0].numel() * FEATURES * len(found.codes)
    assert {name for one in found.codes for name in one.codecs} == {codec.name for codec in CODECS}


def test_no_extra_bits_leave_no_shifting_errors():
    found = compare_codecs(quantized(Settings("dqa", 3, 0)), PICTURE)
    assert found.errors == ()
    with pytest.raises(QuantlibError, match="give DQA extra bits"):
        together(found.errors)


def test_no_important_channels():
    network = quantized(Settings("dqa", 3, 2))
    network.masks = {name: torch.zeros_like(mask) for name, mask in network.masks.items()}
    errors = together(compare_codecs(network, PICTURE).errors)
    assert errors.symbols == 0
    assert errors.verdict == "There are no symbols to code."


def test_only_dqa_has_them():
    with pytest.raises(QuantlibError, match="Only DQA has shifting errors"):
        compare_codecs(quantized(Settings("direct", 3)), PICTURE)


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [
        (2.99, "The entropy is 2.99 of 3 bits per symbol: nothing can be saved here."),
        (1.5, "The entropy is 1.50 of 3 bits per symbol: entropy coding can save up to 50%."),
    ],
)
def test_the_verdict(bits, verdict):
    assert CodedSymbols("a", 100, 3, bits, {}).verdict == verdict


def test_uniform_symbols_leave_nothing_to_save():
    rows = np.random.default_rng(0).integers(0, 8, (4, 50_000))
    assert CodedSymbols("a", rows.size, 3, entropy_per_symbol(rows), {}).can_be_saved < 0.001


def test_speeds_relative_to_packing():
    figures = {"raw": CodecFigures(10, 1.0, 2.0), "ans": CodecFigures(5, 4.0, 1.0)}
    report = CodedSymbols("a", 80, 1, 0.5, figures).as_dict()["codecs"]
    assert report["ans"]["encode_speed_relative_to_packing"] == 0.25
    assert report["ans"]["decode_speed_relative_to_packing"] == 2.0
    assert report["ans"]["bits_per_symbol"] == 0.5
    assert report["raw"]["encoded_symbols_per_second"] == 80


def test_a_missing_library_is_said_and_the_rest_goes_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found = compare_codecs(quantized(Settings("dqa", 3, 2)), PICTURE)
    assert list(found.missing) == ["zstandard"] and "pyarrow" in found.missing["zstandard"]
    assert "zstandard" not in found.codes[0].codecs and "ans" in found.codes[0].codecs
