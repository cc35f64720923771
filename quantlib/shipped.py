"""What comes along with the library: weights, recipes, plans, published numbers, and the app.

In a checkout it lies beside the library; where that is installed, inside it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_IS_INSTALLED = (_PACKAGE / "assets").is_dir()

ASSETS = (_PACKAGE if _IS_INSTALLED else _PACKAGE.parent) / "assets"
APP = (_PACKAGE / "app" if _IS_INSTALLED else _PACKAGE.parent) / "app.py"
