"""Memory and descriptors of a process are seen, and seen to be given back."""

import os

from tests.load.watching import held_by, watched


def test_memory_and_descriptors_are_seen_at_their_peak():
    before = held_by(os.getpid())
    with watched(os.getpid()) as peaks:
        held = bytearray(os.urandom(1)) * 2**26
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
        during = held_by(os.getpid())
        peaks.seen.append(during)
    for file in files:
        os.close(file)
    assert during.resident >= before.resident + len(held) // 2
    assert during.descriptors == before.descriptors + 50 <= peaks.peak.descriptors
    assert held_by(os.getpid()).descriptors == before.descriptors
