"""Less for pages to compute: what they do does not depend on the size of pictures and networks."""

from functools import cache, partial

import pytest
from streamlit.components.v2 import manifest_scanner

from pages.parts.rlq import training
from pages.parts.super_resolution import series
from pages.parts.workbench import beside
from quantlib.imaging.samples import calibration_pictures
from quantlib.qat import fused
from quantlib.tasks import super_resolution
from quantlib.training import contest

SIDE = 48
installed_components = cache(manifest_scanner.scan_component_manifests)


def leave_little_work(patch: pytest.MonkeyPatch) -> None:
    """Small samples and calibration crops, short series, a short start for the RLQ lab's training.

    Formulas are not compiled: a kernel takes seconds, and what is left to compute does not.
    The workbench compares at equal bytes when it is asked to.

    AppTest looks through all that is installed before every page; once is enough.
    """
    patch.setattr(manifest_scanner, "scan_component_manifests", installed_components)
    patch.setattr(fused, "WORTH_COMPILING", 1 << 62)
    patch.setattr(super_resolution, "INPUT_SIDE", SIDE)
    patch.setattr(
        super_resolution, "calibration_pictures", lambda side=SIDE: calibration_pictures(side)
    )
    patch.setattr(series, "STRIP", (8, 4, 2))
    patch.setattr(series, "BUDGETS", (3.0, 1.5))
    patch.setattr(beside, "QUICK", 0)
    patch.setattr(contest, "BLOCKS", 2)
    patch.setattr(training, "Contest", partial(contest.Contest, start_steps=20))
