"""Everything that turns bytes of strangers into symbols, with payloads to damage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from quantlib.coding import ans, huffman, zero_runs
from quantlib.coding.ans import PRECISION, Table
from quantlib.coding.codecs import CODECS, Layout
from quantlib.coding.packing import pack, unpack
from quantlib.coding.varint import varint
from quantlib.quantizers.dqa import DQATensor, fit_dqa
from quantlib.quantizers.dqa_ans import AnsDQATensor, with_coded_codes
from quantlib.quantizers.entropy import EntropyQuantizer, EntropyTensor
from quantlib.quantizers.packed import PackedTensor
from quantlib.quantizers.pot import fit_power_of_two
from quantlib.quantizers.uniform import fit_uniform

LAYOUT = Layout((3, 400), 3, True)


@dataclass(frozen=True)
class Target:
    """A decoder, and whole payloads for it; `decode` gives arrays."""

    name: str
    decode: Callable[[bytes], list[np.ndarray]]
    payloads: list[bytes]


def targets() -> list[Target]:
    random = np.random.default_rng(0)
    laplace = random.laplace(0, 1.2, (3, 400)).round().clip(-4, 3).astype(np.int32)
    alike = np.where(random.random((3, 400)) > 0.99, 1, 0).astype(np.int32)
    constant = np.full((3, 400), 2, np.int32)
    rows = [laplace, alike, constant, np.zeros((0, 4), np.int32)]
    wide = random.integers(-3000, 3000, (2, 200))
    bytes_of = [huffman.encode(one.astype(np.uint8)) for one in (*rows, wide)]
    fibonacci = np.repeat(np.arange(21, dtype=np.uint8), _fibonacci(21))
    bytes_of.append(huffman.encode(random.permutation(fibonacci)))
    runs_of = [zero_runs.encode(one) for one in (*rows, wide)]
    ans_of = [ans.encode(one) for one in (*rows, wide)]
    return [
        Target("Huffman", lambda p: [huffman.decode(p)], [*bytes_of, _alike(1 << 26)]),
        Target("zero runs", lambda p: [zero_runs.decode(p)], [*runs_of, *_long_runs()]),
        Target("ANS", lambda p: [ans.decode(p)], [*ans_of, *_cheap_rows(1 << 25)]),
        Target(
            "packing",
            lambda p: [unpack(p, 3, True, (3, 400)), unpack(p, 5, False, (240, 1, 3))],
            [pack(laplace, 3, True)],
        ),
        *_codecs([laplace, alike, constant]),
        *_tensors(),
    ]


def _fibonacci(count: int) -> list[int]:
    numbers = [1, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers


def _alike(count: int) -> bytes:
    """Huffman: one symbol that costs no bits."""
    return varint(count) + bytes([5, 0])


def _long_runs() -> Iterator[bytes]:
    """Zero runs: nothing but zeros, and nothing but the integer that 5 stands for."""
    yield zero_runs.encode(np.broadcast_to(np.int8(0), zero_runs.MAX_SYMBOLS))
    alike = _alike(zero_runs.MAX_SYMBOLS)
    yield varint(zero_runs.MAX_SYMBOLS) + varint(len(alike)) + alike


def _cheap_rows(count: int) -> Iterator[bytes]:
    """ANS: a row of one value, and rows whose first symbol costs next to no bits."""
    head = varint(1) + varint(count)
    yield head + Table(3, np.ones(1, int)).to_bytes() + varint(0)
    for words in ([], [0xFFFF_FFFF] * 2):
        table = Table(-1, np.array([1 << PRECISION, 0, 1])).to_bytes()
        yield head + table + varint(len(words)) + np.array(words, "<u4").tobytes()


def _codecs(rows: list[np.ndarray]) -> Iterator[Target]:
    for codec in CODECS:
        payloads = [codec.encode(one, LAYOUT) for one in rows]
        yield Target(f"codec {codec.name}", lambda p, c=codec: [c.decode(p, LAYOUT)], payloads)


def _tensors() -> Iterator[Target]:
    x = torch.randn(1, 4, 12, 10, generator=torch.Generator().manual_seed(2))
    silent, empty = torch.zeros(1, 4, 30, 30), torch.zeros(2, 0, 3)
    silent[0, 0, 0, 0] = 1.0
    mask, none = torch.tensor([True, False, True, True]), torch.zeros(0, dtype=torch.bool)
    plain = [(x, fit_dqa(x, 3, 3, mask)), (silent, fit_dqa(silent, 2, 4, mask))]
    plain.append((empty, fit_dqa(empty, 4, 2, none)))
    uniform = [fit_uniform(x, 4, 1), fit_uniform(x, 8, None, signed=False), fit_power_of_two(x, 3)]
    entropy = [EntropyQuantizer(torch.tensor(0.3)), EntropyQuantizer(torch.full((4,), 2.0))]
    yield _tensor(PackedTensor, [one.encode(x) for one in uniform])
    yield _tensor(DQATensor, [one.encode(values) for values, one in plain])
    coded = [with_coded_codes(one).encode(values) for values, one in plain]
    yield _tensor(AnsDQATensor, [*coded, *_large_dqa(1 << 23)])
    encoded = [one.encode(y) for one in entropy for y in (x, silent)]
    yield _tensor(EntropyTensor, [*encoded, *_large_entropy(1 << 23)])


def _large_dqa(count: int) -> Iterator[AnsDQATensor]:
    important, steps = np.ones(1, bool), np.ones(1, np.float32)
    for codes in _cheap_rows(count):
        yield AnsDQATensor((1, count), 0, 3, 3, important, steps, codes, (_alike(count),))


def _large_entropy(count: int) -> Iterator[EntropyTensor]:
    for payload in _cheap_rows(count):
        yield EntropyTensor(
            (4, count // 4), 1, np.ones(1, np.float32), np.zeros(2, np.float32), payload
        )


def _tensor(kind: Any, encoded: list) -> Target:
    def decode(payload: bytes) -> list[np.ndarray]:
        tensor = kind.from_bytes(payload)
        return [tensor.decode().numpy(), np.array([tensor.nbytes, tensor.sizes.total])]

    return Target(kind.__name__, decode, [one.to_bytes() for one in encoded])
