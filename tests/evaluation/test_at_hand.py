"""Memory at hand, from files as Linux has them."""

import sys

import numpy as np
import pytest

from quantlib.evaluation.at_hand import memory_at_hand, most_taken

MIB = 2**20


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:  8000 kB\nMemAvailable:    4096 kB\n")
    return tmp_path


def at_hand(machine, group: str = "") -> int | None:
    return memory_at_hand(machine / "meminfo", machine / group)


def test_what_the_machine_has_left(machine):
    assert at_hand(machine) == 4 * MIB


@pytest.mark.parametrize(("most", "left"), [(3 * MIB, 2 * MIB), (MIB // 2, 0), ("max", 4 * MIB)])
def test_a_container_may_have_less(machine, most, left):
    (machine / "memory.max").write_text(f"{most}\n")
    (machine / "memory.current").write_text(f"{3 * MIB // 2}\n")
    (machine / "memory.stat").write_text(f"anon 7\ninactive_file {MIB // 2}\n")
    assert at_hand(machine) == left


def test_an_older_container(machine):
    (machine / "memory").mkdir()
    (machine / "memory" / "memory.limit_in_bytes").write_text(f"{3 * MIB}\n")
    (machine / "memory" / "memory.usage_in_bytes").write_text(f"{2 * MIB}\n")
    (machine / "memory" / "memory.stat").write_text(f"total_inactive_file {MIB}\n")
    assert at_hand(machine) == 2 * MIB


def test_a_system_that_does_not_say(tmp_path):
    assert memory_at_hand(tmp_path / "none", tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_what_work_takes_is_its_peak():
    def work() -> None:
        held = np.ones(8 * MIB)  # 64 MiB, which are given back
        del held
        np.ones(2 * MIB)

    for _ in range(2):  # the kernel counts in batches of pages
        assert 62 * MIB <= most_taken(work) < 80 * MIB
    assert most_taken(lambda: None) < 8 * MIB
