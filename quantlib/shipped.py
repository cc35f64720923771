"""What comes along with the library: weights, recipes, plans, published numbers, and the app."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_HOME = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent

ASSETS = _HOME / "assets"
"""Beside the library in a checkout, inside it where it is installed."""
APP = _HOME / "app.py"
