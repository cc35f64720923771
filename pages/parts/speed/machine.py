"""The machine that figures of time belong to."""

from importlib.metadata import version

import torch

from quantlib.processor import processor

INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
ENGINES = ("torch", "onnxruntime")


def machine() -> str:
    """Processor, threads, instruction sets that matter for integers, and versions."""
    name, flags = processor()
    known = [flag for flag in INSTRUCTIONS if flag in flags]
    sets = ", ".join(known) or "none of the instructions that multiply bytes"
    versions = ", ".join(f"{engine} {version(engine)}" for engine in ENGINES)
    return f"{name}, {torch.get_num_threads()} threads, {sets}; {versions}"
