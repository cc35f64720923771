"""Libraries that would tell others of use do not, wherever quantlib is imported."""

import os
import subprocess
import sys
from pathlib import Path

from quantlib.telemetry import OFF
from tests.architecture.imports import ROOT
from tests.bare_environment import bare_environment


def test_they_are_told_so_before_they_are_imported():
    assert OFF.items() <= os.environ.items()


def test_onnx_runtime_makes_no_name_for_this_machine(tmp_path: Path):
    """It keeps one in the home folder, and beside it what it is going to send."""
    own = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-c", "import quantlib, onnxruntime"],
        cwd=ROOT,
        env=bare_environment(**own),
        check=True,
    )
    assert not [*tmp_path.iterdir()]
