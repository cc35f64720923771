"""How much memory work takes, and how much there is for work that is about to begin."""

from collections.abc import Callable
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
OWN = Path("/proc/self")
FORGET_PEAK = "5"  # proc(5), clear_refs
CGROUPS = (  # most, in use, and what is in use only until somebody needs it: version 2, then 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def memory_at_hand(meminfo: Path = MEMINFO, cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that a process can take before the machine, or its container, has none left.

    None where the operating system does not say.
    """
    found = [left for one in CGROUPS if (left := _left_in(cgroup, *one)) is not None]
    for line in _text(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            found.append(1024 * int(value.split()[0]))
    return min(found, default=None)


def most_taken(work: Callable[[], object]) -> int:
    """Bytes that this process grows by at most while `work` is done, whatever takes them.

    What other threads do meanwhile counts too, and what the process had free already does not.
    0 where the operating system does not say.
    """
    try:
        with (OWN / "clear_refs").open("w") as kernel:
            kernel.write(FORGET_PEAK)
    except OSError:
        return 0
    before = _resident("VmRSS")
    work()
    return max(0, _resident("VmHWM") - before)


def _resident(which: str) -> int:
    lines = _text(OWN / "status").splitlines()
    return next((1024 * int(one.split()[1]) for one in lines if one.startswith(which)), 0)


def _left_in(cgroup: Path, most: str, used: str, spare: str) -> int | None:
    limit, taken = _text(cgroup / most).strip(), _text(cgroup / used).strip()
    if not (limit.isdigit() and taken.isdigit()):  # "max" is no limit
        return None
    statistics = _text((cgroup / most).with_name("memory.stat")).splitlines()
    counts = dict(line.split(maxsplit=1) for line in statistics if " " in line)
    return max(0, int(limit) - int(taken) + int(counts.get(spare, 0)))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
