"""Optimal prefix codes: how long each symbol's word is, and which word it is.

Words follow from their lengths alone: shorter ones come first, equal lengths in the order of their
symbols, each word one more than its predecessor (as in DEFLATE, RFC 1951, 3.2.2).
"""

from dataclasses import dataclass

import numpy as np

from quantlib.errors import QuantlibError


@dataclass(frozen=True)
class CodeWord:
    """A symbol, how often it occurs and its code word as a string of 0 and 1."""

    symbol: int
    count: int
    code: str


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Lengths of an optimal prefix code, `uint8 (symbols,)`, for integer `counts (symbols,)`.

    Symbols that do not occur get 0, and so does a symbol that occurs alone. No length is limited;
    of all optimal codes this is one with the shortest longest word. Source: Huffman (1952) in the
    two-queue form of van Leeuwen (1976). Raises QuantlibError for negative counts or more than 256.

    >>> code_lengths(np.array([5, 0, 1, 1, 2]))
    array([1, 0, 3, 3, 2], dtype=uint8)
    """
    return np.array(_lengths(checked(counts)), np.uint8)


def canonical_codes(lengths: np.ndarray) -> list[int]:
    """The code word of every symbol as an integer; 0 also where the length is 0.

    >>> canonical_codes(np.array([1, 0, 3, 3, 2]))
    [0, 0, 6, 7, 2]
    """
    codes = [0] * len(lengths)
    word = previous = 0
    for length, symbol in sorted((int(n), s) for s, n in enumerate(lengths) if n):
        word <<= length - previous
        codes[symbol] = word
        word, previous = word + 1, length
    return codes


def code_table(counts: np.ndarray) -> list[CodeWord]:
    """The code words of all symbols that occur, shortest first.

    >>> for word in code_table(np.array([5, 0, 1, 2])):
    ...     print(word.symbol, word.count, word.code)
    0 5 0
    2 1 10
    3 2 11
    """
    lengths = code_lengths(counts)
    codes = canonical_codes(lengths)
    order = sorted((int(n), s) for s, n in enumerate(lengths) if counts[s])
    return [
        CodeWord(s, int(counts[s]), format(codes[s], f"0{length}b") if length else "")
        for length, s in order
    ]


def checked(counts: np.ndarray) -> list[int]:
    """The counts as integers; QuantlibError for negative ones or more than 256."""
    values = np.asarray(counts).tolist()
    if len(values) > 256 or any(type(n) is not int or n < 0 for n in values):
        raise QuantlibError(
            "Huffman counts are at most 256 integers of 0 or more; count the symbols again."
        )
    return values


def _lengths(counts: list[int]) -> list[int]:
    leaves = sorted([(n, s) for s, n in enumerate(counts) if n])
    lengths = [0] * len(counts)
    last = len(leaves) - 1
    if last < 1:
        return lengths
    # Nodes 0 to last are the leaves by rising count, later ones their unions, which also rise.
    weights = [n for n, _ in leaves]
    parents = [0] * (2 * last)
    leaf, union = 0, last + 1
    for node in range(last + 1, 2 * last + 1):
        weight = 0
        for _ in (0, 1):
            if leaf <= last and (union >= node or weights[leaf] <= weights[union]):
                child, leaf = leaf, leaf + 1
            else:
                child, union = union, union + 1
            parents[child] = node
            weight += weights[child]
        weights.append(weight)
    depths = [0] * (2 * last + 1)
    for node in range(2 * last - 1, -1, -1):
        depths[node] = depths[parents[node]] + 1
    for node, (_, symbol) in enumerate(leaves):
        lengths[symbol] = depths[node]
    return lengths


def cost(weights: list[int]) -> tuple[int, int]:
    """Bits of all coded symbols and the longest word, for rising counts above 0, without the code.

    Every union of two nodes adds one bit to each symbol below it.

    >>> cost([1, 2, 5])
    (11, 2)
    """
    bits = leaf = union = 0
    unions: list[tuple[int, int]] = []  # weight and height, both rising
    while len(unions) < len(weights) - 1:
        weight = height = 0
        for _ in (0, 1):
            last = union == len(unions)
            if leaf < len(weights) and (last or weights[leaf] <= unions[union][0]):
                weight += weights[leaf]
                leaf += 1
            else:
                weight += unions[union][0]
                height = max(height, unions[union][1])
                union += 1
        unions.append((weight, height + 1))
        bits += weight
    return bits, unions[-1][1] if unions else 0
