"""Checkpoints that are whole as files, and whose claims are not true: sizes, types and names."""

import io
import json
import pickletools
import re
import struct
import zipfile
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.fuzz.checkpoints import File, State, pickled, safetensors
from tests.fuzz.mutating import chosen

SIZES = (-1, 0, 1, 2, 3, 5, 64, 255, 3000, 1 << 16, 10**6, 1 << 24, (1 << 31) - 1, 1 << 40, 1 << 62)
TYPES = ("F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "C64", "F4", "nothing", 3)
DTYPES = (torch.float64, torch.float16, torch.int64, torch.uint8, torch.bool, torch.complex64)
STORAGES = (b"Double", b"Half", b"Long", b"Byte", b"Bool", b"ComplexFloat", b"QInt8")
CENTRAL = b"PK\x01\x02"
"""What an entry in the directory of a zip file begins with."""
LEGACY_PICKLES = 5

Random = np.random.Generator


def other_state(state: State, random: Random) -> File:
    """The weights with other shapes, names, types and values, in any format."""
    weights = dict(state.weights)
    match random.integers(6):
        case 0:
            weights = _wider(weights, random)
        case 1:
            weights |= _deeper(weights, random)
        case _:
            for _ in range(random.integers(1, 4)):
                _change_weight(weights, random)
    metadata = {key: _other_numbers(value, random) for key, value in state.metadata.items()}
    changed = State(state.task, weights, metadata if random.random() < 0.5 else state.metadata)
    form = random.integers(3)
    if form == 0 or state.metadata:
        return safetensors(changed)
    return pickled(state.task, weights, legacy=form == 1)


def other_header(file: File, random: Random) -> File:
    """A safetensors file with another header."""
    end = 8 + int.from_bytes(file.content[:8], "little")
    header = json.loads(file.content[8:end])
    for _ in range(random.integers(1, 4)):
        name = chosen([*header], random)
        _change_entry(header, name, random)
    text = json.dumps(header).encode()
    return file._replace(content=struct.pack("<Q", len(text)) + text + file.content[end:])


def other_pickle(file: File, random: Random) -> File:
    """A pickle with other numbers or another type in it; those of a zip file are packed anew."""
    if not file.content.startswith(b"PK"):
        return file._replace(content=_claiming(file.content, LEGACY_PICKLES, random))
    entries = _entries(file.content)
    pickle = next(name for name in entries if name.endswith("data.pkl"))
    entries[pickle] = _claiming(entries[pickle], 1, random)
    return file._replace(content=_zipped(entries))


def other_entries(file: File, random: Random) -> File:
    """A zip file with entries that are shorter, longer, compressed, missing or of other sizes."""
    if random.random() < 0.4:
        return file._replace(content=_other_directory(file.content, random))
    entries = _entries(file.content)
    name = chosen([*entries], random)
    match random.integers(4):
        case 0:
            entries[name] = entries[name][: random.integers(len(entries[name]) + 1)]
        case 1:
            entries[name] += bytes(int(random.integers(1, 1 << 22)))
        case 2:
            del entries[name]
        case _:
            entries[name] = entries[chosen([*entries], random)]
    return file._replace(content=_zipped(entries, chosen([0, 8], random)))


def _change_weight(weights: dict[str, Tensor], random: Random) -> None:
    name = chosen([*weights], random)
    value = weights[name]
    match random.integers(8):
        case 0:
            del weights[name]
        case 1:
            weights[_other_numbers(name, random)] = value
        case 2:
            weights[name] = weights[chosen([*weights], random)]
        case 3:
            weights[name] = value.to(chosen(DTYPES, random))
        case 4:
            weights[name] = value.flatten()[: random.integers(value.numel() + 1)]
        case 5:
            weights[name] = _empty(value, random)
        case 6 if value.numel() and value.is_floating_point():
            changed = value.clone().flatten()
            changed[random.integers(len(changed))] = chosen((0, -1, 1e4, float("inf")), random)
            weights[name] = changed.view_as(value)
        case _:
            weights[name] = (value.float() * 10.0 ** float(random.uniform(-10, 38))).to(value.dtype)
    if not weights:
        weights[name] = value


def _wider(weights: dict[str, Tensor], random: Random) -> dict[str, Tensor]:
    """Every tensor with a multiple of its sides and without values, or the weights of a class."""
    factor, end = int(chosen((2, 30, 1000), random)), chosen(("", "weight", "bias"), random)
    return {
        name: torch.zeros([*(factor * side for side in value.shape[:-1]), 0])
        if value.dim() and name.endswith(end)
        else value
        for name, value in weights.items()
    }


def _deeper(weights: dict[str, Tensor], random: Random) -> dict[str, Tensor]:
    """One name again and again with other numbers in it, and next to nothing under each."""
    parts = chosen([name for name in weights if re.search(r"\.\d+\.", name)] or ["a.0.b"], random)
    number = chosen([*re.finditer(r"(?<=\.)\d+(?=\.)", parts)], random)
    start, end = parts[: number.start()], parts[number.end() :]
    count = int(random.integers(1, chosen((100, 480, 5_000), random)))
    return {f"{start}{at}{end}": torch.zeros(1) for at in range(count)}


def _empty(value: Tensor, random: Random) -> Tensor:
    """A shape that costs no bytes, however large its first sides are."""
    shape = [int(chosen((0, 1, 3, 3000, 10**6), random)) for _ in value.shape]
    return torch.zeros([*shape[:-1], 0])


def _change_entry(header: dict[str, Any], name: str, random: Random) -> None:
    entry = header[name]
    if not isinstance(entry, dict) or not isinstance(entry.get("shape"), list):
        header[name] = chosen(({}, [], None, {"format": "pt"}), random)
        return
    shape, size = entry["shape"], chosen(SIZES, random)
    match random.integers(7):
        case 0 if shape:
            shape[random.integers(len(shape))] = size
        case 1:
            entry["shape"] = chosen(([], [*shape, 1], [*shape, 0], [1] * 70, [1.5], "x"), random)
        case 2:
            entry["data_offsets"][random.integers(2)] = size
        case 3:
            entry["dtype"] = chosen(TYPES, random)
        case 4:
            header[_other_numbers(name, random)] = header.pop(name)
        case 5:
            header |= {f"{name}.{at}": entry for at in range(random.integers(1, 9_000))}
        case _:
            del entry[chosen([*entry], random)]


def _other_numbers(text: str, random: Random) -> str:
    """A name or JSON with one of its numbers changed, or with something in front."""
    numbers = [*re.finditer(r"\d+", text)]
    if not numbers or random.random() < 0.2:
        return f"{chosen(('module', 'ema', 'x', ''), random)}.{text}"
    number = chosen(numbers, random)
    return f"{text[: number.start()]}{chosen(SIZES, random)}{text[number.end() :]}"


def _claiming(content: bytes, pickles: int, random: Random) -> bytes:
    """`content`, which begins with so many pickles, with another number or storage."""
    places: list[tuple[int, int]] = []
    file = io.BytesIO(content)
    for _ in range(pickles):
        steps = [(opcode.name, at or 0) for opcode, _, at in pickletools.genops(file)]
        ends = [at for _, at in steps[1:]]
        places += [
            (at, end)
            for (name, at), end in zip(steps, ends, strict=False)
            if name in ("BININT", "BININT1", "BININT2", "LONG1")
        ]
    storages = [*re.finditer(rb"ctorch\n(\w+)Storage", content)]
    if storages and random.random() < 0.2:
        start, end = chosen(storages, random).span(1)
        return content[:start] + chosen(STORAGES, random) + content[end:]
    for start, end in sorted({chosen(places, random) for _ in range(random.integers(1, 4))})[::-1]:
        number = b"\x8a\x08" + struct.pack("<q", chosen(SIZES, random))  # LONG1
        content = content[:start] + number + content[end:]
    return content


def _entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def _zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def _other_directory(content: bytes, random: Random) -> bytes:
    """Another number of four bytes in one entry of the directory: sizes, places, lengths."""
    start = chosen([found.start() for found in re.finditer(CENTRAL, content)], random)
    place = start + chosen((8, 10, 20, 24, 28, 42), random)
    number = chosen(SIZES, random) & 0xFFFF_FFFF
    return content[:place] + struct.pack("<I", number) + content[place + 4 :]
