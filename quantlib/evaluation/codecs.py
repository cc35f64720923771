"""What every codec makes of DQA's symbols: the shifting errors and the base codes, site by site."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.coding.codecs import CODECS, RAW, Codec, Layout, MissingCodecError
from quantlib.errors import QuantlibError
from quantlib.evaluation.timing import timed
from quantlib.ptq import QuantizedNetwork, Site
from quantlib.quantizers.channels import by_channel
from quantlib.quantizers.dqa import DQAQuantizer

NOTHING_TO_SAVE = 0.02  # of the raw bits; tables and headers take about as much


@dataclass(frozen=True)
class CodecFigures:
    """Real `bytes` of some symbols, and the seconds that writing and reading them took."""

    bytes: int
    encode_seconds: float
    decode_seconds: float

    def __add__(self, other: "CodecFigures") -> "CodecFigures":
        return CodecFigures(
            self.bytes + other.bytes,
            self.encode_seconds + other.encode_seconds,
            self.decode_seconds + other.decode_seconds,
        )


@dataclass(frozen=True)
class CodedSymbols:
    """Symbols of one site, or of several together, under every codec.

    `entropy` is in bits per symbol, with the frequencies of every channel known: no codec that
    takes symbols as independent can do with less. `codecs` are figures by the codec's name.
    """

    site: str
    symbols: int
    bits: int
    entropy: float
    codecs: Mapping[str, CodecFigures]

    @property
    def can_be_saved(self) -> float:
        """Share of the raw bits above the entropy, 0 to 1."""
        return 1 - self.entropy / self.bits

    @property
    def nothing_to_save(self) -> bool:
        """Whether the entropy is about that of raw symbols."""
        return self.can_be_saved < NOTHING_TO_SAVE

    @property
    def verdict(self) -> str:
        """One sentence: what entropy coding can save."""
        known = f"The entropy is {self.entropy:.2f} of {self.bits} bits per symbol"
        if not self.symbols:
            return "There are no symbols to code."
        if self.nothing_to_save:
            return f"{known}: nothing can be saved here."
        return f"{known}: entropy coding can save up to {self.can_be_saved:.0%}."

    def bits_per_symbol(self, codec: str) -> float:
        return 8 * self.codecs[codec].bytes / max(self.symbols, 1)

    def encode_rate(self, codec: str) -> float:
        """Symbols per second on this machine."""
        return self.symbols / self.codecs[codec].encode_seconds

    def decode_rate(self, codec: str) -> float:
        """Symbols per second on this machine."""
        return self.symbols / self.codecs[codec].decode_seconds

    def as_dict(self) -> dict:
        """Numbers under the names of the command line's JSON; speeds also relative to packing."""
        return {
            "site": self.site,
            "symbols": self.symbols,
            "bits": self.bits,
            "entropy": self.entropy,
            "verdict": self.verdict,
            "codecs": {
                name: {
                    "bytes": figures.bytes,
                    "bits_per_symbol": self.bits_per_symbol(name),
                    "encoded_symbols_per_second": self.encode_rate(name),
                    "decoded_symbols_per_second": self.decode_rate(name),
                    "encode_speed_relative_to_packing": self.encode_rate(name)
                    / self.encode_rate(RAW.name),
                    "decode_speed_relative_to_packing": self.decode_rate(name)
                    / self.decode_rate(RAW.name),
                }
                for name, figures in self.codecs.items()
            },
        }


@dataclass(frozen=True)
class CodecComparison:
    """All sites: their shifting errors (unsigned, m bits) and their base codes (signed, n bits).

    `missing` says of every codec that could not run what it needs.
    """

    errors: tuple[CodedSymbols, ...]
    codes: tuple[CodedSymbols, ...]
    missing: Mapping[str, str]


@torch.inference_mode()
def compare_codecs(
    network: QuantizedNetwork,
    x: Tensor,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> CodecComparison:
    """Every codec on the symbols that DQA makes of the input `x` `(1, 3, H, W)`.

    Every payload is decoded again and has to be equal. A QuantlibError for other methods.
    """
    if not network.settings.entry.shifts:
        raise QuantlibError(
            "Only DQA has shifting errors; choose the method dqa to compare codecs."
        )
    codecs, missing = _present()
    errors: list[CodedSymbols] = []
    codes: list[CodedSymbols] = []
    sites = network.site_network

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        watch(len(codes), len(sites.sites))
        quantizer = network.quantizer(site, a)
        assert isinstance(quantizer, DQAQuantizer)
        q = quantizer.widened(a)
        narrow = by_channel(quantizer.shift(q), site.channel_dim).to(torch.int8)
        codes.append(_coded(site.name, narrow, quantizer.bits, True, codecs))
        if quantizer.extra_bits:
            lost = quantizer.shifting_errors(q)
            errors.append(_coded(site.name, lost, quantizer.extra_bits, False, codecs))
        return quantizer(a)

    sites.run(x, visit)
    watch(len(sites.sites), len(sites.sites))
    return CodecComparison(tuple(errors), tuple(codes), missing)


def together(sites: Iterable[CodedSymbols]) -> CodedSymbols:
    """All sites as one: bytes and seconds summed, the entropy weighed by their symbols.

    >>> packed = {"raw": CodecFigures(3, 0.1, 0.1)}
    >>> one, other = CodedSymbols("a", 8, 3, 1.0, packed), CodedSymbols("b", 24, 3, 2.0, packed)
    >>> both = together([one, other])
    >>> both.symbols, both.entropy, both.codecs["raw"].bytes
    (32, 1.75, 6)
    """
    known = list(sites)
    if not known:
        raise QuantlibError("There are no symbols to code; give DQA extra bits.")
    symbols = sum(one.symbols for one in known)
    entropy = sum(one.entropy * one.symbols for one in known) / max(symbols, 1)
    codecs = {
        name: sum((one.codecs[name] for one in known), CodecFigures(0, 0.0, 0.0))
        for name in known[0].codecs
    }
    return CodedSymbols("all", symbols, known[0].bits, entropy, codecs)


def entropy_per_symbol(symbols: np.ndarray) -> float:
    """Bits per symbol of `(channels, elements)` where every channel's frequencies are known.

    >>> entropy_per_symbol(np.array([[0, 1, 0, 1], [3, 3, 3, 3]]))
    0.5
    """
    bits = 0.0
    for row in symbols:
        counts = np.unique(row, return_counts=True)[1]
        bits += float(counts @ np.log2(row.size / counts))
    return bits / max(symbols.size, 1)


def _present() -> tuple[list[Codec], dict[str, str]]:
    present, missing = [], {}
    for codec in CODECS:
        try:
            codec.encode(np.zeros((1, 1), np.uint8), Layout((1, 1), 1, False))
            present.append(codec)
        except MissingCodecError as error:
            missing[codec.name] = str(error)
    return present, missing


def _coded(site: str, rows: Tensor, bits: int, signed: bool, codecs: list[Codec]) -> CodedSymbols:
    symbols = np.ascontiguousarray(rows.numpy())
    channels, elements = symbols.shape
    layout = Layout((channels, elements), bits, signed)
    figures = {codec.name: _figures(codec, symbols, layout) for codec in codecs}
    return CodedSymbols(site, symbols.size, bits, entropy_per_symbol(symbols), figures)


def _figures(codec: Codec, symbols: np.ndarray, layout: Layout) -> CodecFigures:
    payload, encoding = timed(lambda: codec.encode(symbols, layout), repeats=1)
    decoded, decoding = timed(lambda: codec.decode(payload, layout), repeats=1)
    assert np.array_equal(decoded, symbols)
    return CodecFigures(len(payload), encoding, decoding)
