"""PNG (third edition, W3C 2025): chunks of a length, a name, a body and a checksum."""

import struct
import zlib
from collections.abc import Iterator

from quantlib.imaging.containers.metadata import orientation_in
from quantlib.imaging.containers.parts import Parts, at_most
from quantlib.imaging.profiles import profile_of_primaries

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
TRANSPARENCY = b"tRNS"
KEYED = {0: 1, 2: 3}  # samples of greyscale and of RGB
XMP = b"XML:com.adobe.xmp"
RAW_EXIF = b"Raw profile type exif"  # ImageMagick's, in hexadecimal digits
# What says how the samples are meant and how the picture stands; text goes by its keyword.
TOLD = {TRANSPARENCY, b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"acTL", XMP, RAW_EXIF}
COLOUR_TYPE = 25  # where it stands in the file
MAX_CHUNKS = 50_000
MAX_INFLATED = 4_000_000


def taken_apart(data: bytes) -> Parts:
    """Metadata with a wrong checksum or that inflate beyond all measure are left out, and said."""
    kept, told, damaged = [SIGNATURE], {}, False
    for count, (name, start, end) in enumerate(_chunks(data)):
        at_most(count, MAX_CHUNKS, "chunks")
        if name in CRITICAL or not name.isalpha():  # no name: the decoder's to judge
            kept.append(data[start:end])
        elif (told_as := _told_as(name, data[start + 8 : end - 4])) in TOLD:
            if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                damaged = True
            elif told_as == TRANSPARENCY and data[COLOUR_TYPE] not in KEYED:
                kept.append(data[start:end])  # of a palette: Pillow knows it
            else:
                told.setdefault(told_as, data[start + 8 : end - 4])
    width, height, depth = struct.unpack_from(">IIB", data, 16)
    notes, profile = ["damaged metadata ignored"] if damaged else [], None
    try:
        profile = _profile(told)
    except (ValueError, IndexError, zlib.error, struct.error):
        notes.append("damaged colour profile ignored")
    orientation, unread = orientation_in(_exif(told), told.get(XMP, b""))
    return Parts(
        "PNG",
        b"".join(kept),
        width,
        height,
        depth,
        key=_key(told.get(TRANSPARENCY, b""), KEYED.get(data[COLOUR_TYPE], 0), depth),
        frames=_frames(told.get(b"acTL", b"")),
        orientation=orientation,
        profile=profile,
        notes=(*notes, *unread),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of every chunk up to the last, which may be cut short."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        yield name, at, end
        if name == b"IEND":
            return
        at = end


def _told_as(name: bytes, body: bytes) -> bytes:
    return body.split(b"\0", 1)[0] if name.endswith(b"Xt") else name


def _key(body: bytes, samples: int, depth: int) -> tuple[int, ...] | None:
    """The samples of the colour that is transparent; bits beyond their depth do not count."""
    if not body or len(body) != 2 * samples:
        return None
    return tuple(value & (1 << depth) - 1 for value in struct.unpack(f">{samples}H", body))


def _profile(told: dict[bytes, bytes]) -> bytes | None:
    """The ICC profile, or one made of gamma and primaries; sRGB's chunk comes before these."""
    if b"iCCP" in told:
        return _inflated(told[b"iCCP"].split(b"\0", 1)[1][1:])
    if b"sRGB" in told or b"gAMA" not in told:
        return None
    (gamma,) = struct.unpack(">I", told[b"gAMA"])
    chromaticities = struct.unpack(">8I", told[b"cHRM"]) if b"cHRM" in told else None
    return profile_of_primaries(
        gamma / 1e5, chromaticities and tuple(value / 1e5 for value in chromaticities)
    )


def _exif(told: dict[bytes, bytes]) -> bytes:
    """EXIF data, perhaps as ImageMagick's digits after a line with "exif" and one with a number."""
    if b"eXIf" in told or RAW_EXIF not in told:
        return told.get(b"eXIf", b"")
    text = told[RAW_EXIF][len(RAW_EXIF) + 1 :]
    try:
        digits = _inflated(text[1:]) if text[:1] == b"\0" else text  # zTXt, else tEXt
        return bytes.fromhex("".join(digits.decode("latin-1").split()[2:]))
    except (ValueError, zlib.error):
        return b""


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    inflated = inflating.decompress(data, MAX_INFLATED)
    if not inflating.eof:
        raise ValueError("more than any profile holds")
    return inflated


def _frames(control: bytes) -> int:
    return struct.unpack(">II", control)[0] if len(control) == 8 else 1
