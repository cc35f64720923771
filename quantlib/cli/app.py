"""Start the app in a browser."""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.shipped import APP

NEEDED = "streamlit", "plotly"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="where it listens (default 8501)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    if missing := [name for name in NEEDED if not _is_installed(name)]:
        raise QuantlibError(
            f"The app needs {' and '.join(map(str.capitalize, missing))}; install it with "
            "pip install 'bitlens[app]'."
        )
    if not APP.is_file():
        raise QuantlibError("The app is not part of this installation; clone the repository.")
    port = [f"--server.port={options.port}"] if options.port else []
    command = [sys.executable, "-m", "streamlit", "run", str(APP), *port]
    return {"status": subprocess.call(command)}


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # what blocks an import leaves no spec
        return False


def describe(report: dict[str, Any]) -> str:
    return f"The app ended with status {report['status']}."
