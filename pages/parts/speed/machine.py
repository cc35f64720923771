"""The machine that figures of time belong to."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch

INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
ENGINES = ("torch", "onnxruntime")


def machine() -> str:
    """Processor, threads, instruction sets that matter for integers, and versions."""
    name, flags = _processor()
    known = [flag for flag in INSTRUCTIONS if flag in flags]
    sets = ", ".join(known) or "none of the instructions that multiply bytes"
    versions = ", ".join(f"{engine} {version(engine)}" for engine in ENGINES)
    return f"{name}, {torch.get_num_threads()} threads, {sets}; {versions}"


def _processor() -> tuple[str, set[str]]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    return name, set((told.get("flags") or told.get("Features") or "").split())
