"""JPEG (ITU T.81, annex B): segments of a marker, a length and a body, and scans after them."""

import re
import struct

from quantlib.imaging.containers.metadata import orientation_in
from quantlib.imaging.containers.parts import Parts, RefusedError, at_most

SIGNATURE = b"\xff\xd8\xff"
# Neither stuffing, filling nor a restart inside a scan.
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
SCAN, END, COMMENT = 0xDA, 0xD9, 0xFE
APPLICATION = range(0xE0, 0xF0)
DECODER_NEEDS = {0xE0, 0xEE}  # JFIF's and Adobe's say which colours the components are
EXIF, XMP, PROFILE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
MAX_SEGMENTS = 20_000
MAX_BYTES = 32_000_000  # of the picture itself; no camera's has as many


def taken_apart(data: bytes) -> Parts:
    """Ends where the picture ends: previews and further pictures behind it are not looked at."""
    kept, start, at = [], 0, 2
    size, scans, told, profile = (0, 0, 8), 0, {}, {}
    for count in range(MAX_SEGMENTS + 2):
        at_most(count, MAX_SEGMENTS, "segments")
        found = MARKER.search(data, at)
        if found is None or found[1][0] == END:
            at = len(data) if found is None else found.end()
            break
        marker, (length,) = found[1][0], struct.unpack_from(">H", data, found.end())
        at, body = found.end() + length, data[found.end() + 2 : found.end() + length]
        if marker in FRAMES:
            size = struct.unpack_from(">BHH", body)
        elif marker == SCAN:
            scans += 1
        elif marker == COMMENT or (marker in APPLICATION and marker not in DECODER_NEEDS):
            kept.append(data[start : found.start()])
            start = at
            for kind in (EXIF, XMP):
                if body.startswith(kind):
                    told.setdefault(kind, body[len(kind) :])
            if body.startswith(PROFILE):
                number = body[len(PROFILE) : len(PROFILE) + 1]  # and how many there are
                profile[number] = body[len(PROFILE) + 2 :]
    if at > MAX_BYTES:
        raise RefusedError(f"is a JPEG of more than {MAX_BYTES:,} bytes; save it as a PNG.")
    kept.append(data[start:at])
    depth, height, width = size
    orientation, notes = orientation_in(told.get(EXIF, b""), told.get(XMP, b""))
    return Parts(
        "JPEG",
        b"".join(kept),
        width,
        height,
        depth,
        passes=scans,
        orientation=orientation,
        profile=b"".join(profile[number] for number in sorted(profile)) or None,
        notes=notes,
    )
