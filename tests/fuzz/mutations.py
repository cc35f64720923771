"""Ways to damage a payload, of which the nastiest announces far more than it holds."""

from random import Random

from quantlib.coding.varint import varint

TELLING = (0, 1, 2, 3, 16, 127, 128, 129, 254, 255)
CLAIMS = tuple(n for k in (7, 16, 24, 25, 26, 27, 28, 31, 32, 34) for n in ((1 << k) - 1, 1 << k))


def mutated(payloads: list[bytes], random: Random) -> bytes:
    """One of `payloads`, damaged up to three times."""
    payload = random.choice(payloads)
    for _ in range(random.randrange(4)):
        mutation = random.choice(MUTATIONS)
        payload = mutation(payload, payloads, random)
    return payload


def _bits(payload: bytes, others: list[bytes], random: Random) -> bytes:
    broken = bytearray(payload)
    for _ in range(random.randrange(1, 5) if broken else 0):
        broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
    return bytes(broken)


def _bytes(payload: bytes, others: list[bytes], random: Random) -> bytes:
    broken = bytearray(payload)
    for _ in range(random.randrange(1, 5) if broken else 0):
        at = random.randrange(min(len(broken), random.choice([8, 40, 1 << 20])))
        broken[at] = random.choice(TELLING)
    return bytes(broken)


def _cut(payload: bytes, others: list[bytes], random: Random) -> bytes:
    return payload[: random.randrange(len(payload) + 1)]


def _longer(payload: bytes, others: list[bytes], random: Random) -> bytes:
    return payload + random.randbytes(random.randrange(1, 20))


def _without_a_piece(payload: bytes, others: list[bytes], random: Random) -> bytes:
    first, last = sorted(random.randrange(len(payload) + 1) for _ in range(2))
    return payload[:first] + payload[last:]


def _spliced(payload: bytes, others: list[bytes], random: Random) -> bytes:
    other = random.choice(others)
    return payload[: random.randrange(len(payload) + 1)] + other[random.randrange(len(other) + 1) :]


def _varint_claim(payload: bytes, others: list[bytes], random: Random) -> bytes:
    """Another number of variable length near the beginning."""
    at = min(random.choice([0, 0, 1, 2, 4, 8]), len(payload))
    end = at
    while end < len(payload) and payload[end] > 127:
        end += 1
    return payload[:at] + varint(random.choice(CLAIMS)) + payload[end + 1 :]


def _word_claim(payload: bytes, others: list[bytes], random: Random) -> bytes:
    """Another number of 32 bits near the beginning."""
    at = 4 * random.randrange(min(len(payload) // 4, 10) + 1)
    claim = min(random.choice(CLAIMS), (1 << 32) - 1)
    return payload[:at] + claim.to_bytes(4, "little") + payload[at + 4 :]


def _random_after_the_head(payload: bytes, others: list[bytes], random: Random) -> bytes:
    return payload[: random.choice([0, 4, 8, 24])] + random.randbytes(random.randrange(60))


MUTATIONS = (
    _bits,
    _bytes,
    _cut,
    _longer,
    _without_a_piece,
    _spliced,
    _varint_claim,
    _word_claim,
    _random_after_the_head,
)
