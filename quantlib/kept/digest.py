"""What a result depends on, as one name: equal names, equal results."""

import hashlib
from functools import cache
from pathlib import Path

from quantlib.processor import processor

_LIBRARY = Path(__file__).parents[1]


def digest_of(*parts: object) -> str:
    """SHA-256 of plain values and value objects, in hexadecimal; the same in every process.

    Raises TypeError for an object that shows no more than its place in memory.

    >>> digest_of("edsr", 4) == digest_of("edsr", 4), digest_of("edsr", 4) == digest_of("edsr", 5)
    (True, False)
    >>> digest_of(object())
    Traceback (most recent call last):
    TypeError: a result cannot go by an object that shows no value
    """
    text = repr(parts)
    if " object at 0x" in text:
        raise TypeError("a result cannot go by an object that shows no value")
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def here() -> tuple[str, ...]:
    """What a number depends on beside its inputs: this code, PyTorch and the processor."""
    import torch

    return (
        code_digest(),
        torch.__version__,
        processor().name,
        torch.backends.cpu.get_cpu_capability(),
    )


@cache
def code_digest(folder: Path = _LIBRARY) -> str:
    """SHA-256 of all Python files below `folder`, names included."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode())
        whole.update(content)
    return whole.hexdigest()
