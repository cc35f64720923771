"""Whole numbers in as few bytes as they need: seven bits each, the lowest first (LEB128)."""

LONGEST = 5


def varint(number: int) -> bytes:
    """The bytes of `number`, 0 to 2^35 - 1; all but the last have their highest bit set.

    >>> varint(300).hex(" ")
    'ac 02'
    """
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(payload: bytes, at: int = 0) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends; a ValueError where there is none.

    >>> read_varint(bytes.fromhex("ac 02 ff"))
    (300, 2)
    """
    number = 0
    for i, byte in enumerate(payload[at : at + LONGEST]):
        number |= (byte & 127) << 7 * i
        if byte < 128:
            if byte == 0 and i:
                break
            return number, at + i + 1
    raise ValueError("no number of variable length begins here")
