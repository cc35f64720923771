"""ICC profiles made from a gamma and from primaries, as PNG states them without a profile."""

import struct

import numpy as np

SRGB_GAMMA = 0.45455
# Of white, red, green and blue, x and y each, as in PNG's cHRM and in BT.709.
SRGB_CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.03]])
PLAUSIBLE_GAMMAS = (0.1, 10.0)


def profile_of_primaries(
    gamma: float, chromaticities: tuple[float, ...] | None = None
) -> bytes | None:
    """A matrix profile (ICC.1:2001-04) for samples that are light to the power of `gamma`.

    None for what sRGB is written as. Raises ValueError for what no display can be.

    >>> profile_of_primaries(1 / 2.2) is None, profile_of_primaries(1.0)[36:40]
    (True, b'acsp')
    """
    low, high = PLAUSIBLE_GAMMAS
    if not low <= gamma <= high:
        raise ValueError("no display's gamma")
    stated = np.array(chromaticities or SRGB_CHROMATICITIES)
    if abs(gamma - SRGB_GAMMA) < 0.005 and abs(stated - SRGB_CHROMATICITIES).max() < 0.005:
        return None
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 / gamma))
    name = f"gamma {1 / gamma:.2f}".encode()
    description = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + bytes(79)
    primaries = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), _primaries(stated).T, strict=True))
    tags = {b"desc": description, b"cprt": b"text" + bytes(5), b"wtpt": _xyz(D50)}
    tags |= {tag: _xyz(primary) for tag, primary in primaries.items()}
    return _profile(tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def _primaries(chromaticities: np.ndarray) -> np.ndarray:
    """XYZ of red, green and blue in columns, adapted to D50 as Bradford's transform does it."""
    x, y = chromaticities.reshape(4, 2).T
    if not (y > 0).all():
        raise ValueError("colours that no display has")
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])  # columns white, red, green, blue
    white, primaries = xyz[:, 0], xyz[:, 1:]
    if abs(np.linalg.det(primaries)) < 1e-6:
        raise ValueError("primaries on one line")
    mixed = primaries * np.linalg.solve(primaries, white)
    cones = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    return np.linalg.solve(BRADFORD, cones @ BRADFORD @ mixed)


def _xyz(values: np.ndarray) -> bytes:
    fixed = np.rint(values * 2**16)
    if abs(fixed).max() >= 2**31 or not np.isfinite(fixed).all():
        raise ValueError("colours that no display has")
    return b"XYZ " + bytes(4) + fixed.astype(">i4").tobytes()


def _profile(tags: dict[bytes, bytes]) -> bytes:
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = bytearray(128)
    struct.pack_into(
        ">I4xI4s4s4s", header, 0, start + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, *np.rint(D50 * 2**16).astype(int))
    return bytes(header) + table + body
