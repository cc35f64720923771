"""What integers keep of a network's quality, on a benchmark that its card gives a figure for."""

from pathlib import Path

import numpy as np

from quantlib.datasets.paired_folders import find_pairs
from quantlib.imaging.files import read_picture_file
from quantlib.models.catalogue import card_of
from quantlib.ptq import Settings
from quantlib.requirement import Requirement
from quantlib.runtime.choice import INTEGER, Runtime
from quantlib.runtime.running import at_runtime
from quantlib.runtime.speed import LEARNED
from quantlib.tasks.super_resolution import measure, open_network, prepare, sites_of

BITS, NEAR = 4, 0.01


def quality(high: Path, low: Path) -> Requirement:
    """PSNR-Y in dB of W4A4 with FP32 ends on Set5, whose pictures lie in `high` and `low`."""
    settings = Settings("rlq", BITS)
    network = open_network(LEARNED, settings)
    integers = at_runtime(
        prepare(sites_of(network, settings.method), settings, ()), Runtime(INTEGER)
    )
    found = [
        measure(integers, read_picture_file(small).rgb, network.scale, read_picture_file(whole).rgb)
        for _, whole, small in find_pairs(high, low, network.scale)
    ]
    card = card_of(LEARNED)
    assert card is not None
    name = "W4A4 as integers, ends in FP32, dB on Set5 (its card less 0.01)"
    mean = float(np.mean([one.psnr_y for one in found if one.psnr_y is not None]))
    return Requirement(name, mean, card.psnr_y["set5"] - NEAR)
