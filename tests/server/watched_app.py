"""`streamlit`, which says what names it looks up and what addresses it connects to.

Pages have little to compute, and the Hub is a port where nobody listens.
"""

import os
import sys

import pytest
from streamlit.web.cli import main

from pages.parts.shared import arriving
from tests.little_work import leave_little_work
from tests.server.outward import watch

if __name__ == "__main__":
    os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    leave_little_work(pytest.MonkeyPatch())
    arriving.PATIENCE = 60.0  # what the Hub says is there when the first drawing ends
    sys.addaudithook(watch)
    sys.exit(main())
