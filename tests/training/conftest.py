from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def short_runs(formulas_as_they_are: None) -> None:
    """All are."""


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """Pictures in which every pixel tells where it is, in a folder and one below it."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "more").mkdir()
    rows, columns = np.mgrid[0:48, 0:60]
    waves = 127 + 60 * np.sin(rows / 5) + 60 * np.cos(columns / 7)
    rgb = np.dstack([waves, rows * 5, columns * 4]).astype(np.uint8)
    Image.fromarray(rgb).save(folder / "first.png")
    Image.fromarray(rgb[::-1, :40]).save(folder / "more" / "second.PNG")
    (folder / "notes.txt").write_text("no picture")
    return folder
