"""The processor that this runs on, as Linux describes it."""

import platform
from pathlib import Path
from typing import NamedTuple

_CPUINFO = Path("/proc/cpuinfo")


class Processor(NamedTuple):
    """Its name, and the instruction sets that it has; none are known where there is no Linux."""

    name: str
    flags: frozenset[str]


def processor() -> Processor:
    lines = _CPUINFO.read_text("utf-8").splitlines() if _CPUINFO.is_file() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    return Processor(name, frozenset((told.get("flags") or told.get("Features") or "").split()))
