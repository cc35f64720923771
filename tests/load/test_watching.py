"""Memory and descriptors of a process are seen, and seen to be given back."""

import subprocess
import sys

from tests.load.watching import held_by, watched

FILES, BYTES = 50, 2**26
CHILD = f"""
import os
def say(): print(flush=True); input()
say()
held = bytearray(os.urandom(1)) * {BYTES}
files = [os.open(os.devnull, os.O_RDONLY) for _ in range({FILES})]
say()
del held
[os.close(file) for file in files]
say()
"""


def test_memory_and_descriptors_are_seen_at_their_peak():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout
        write, flush, read = child.stdin.write, child.stdin.flush, child.stdout.readline

        def go_on() -> None:
            write(b"\n")
            flush()
            read()

        read()
        before = held_by(child.pid)
        go_on()
        with watched(child.pid) as peaks:  # which looks at once
            go_on()
        after = held_by(child.pid)
        write(b"\n")
    assert peaks.peak.resident >= before.resident + 0.9 * BYTES
    assert peaks.peak.descriptors == before.descriptors + FILES
    assert after.descriptors == before.descriptors
    assert after.resident <= peaks.peak.resident - 0.9 * BYTES
