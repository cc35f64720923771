"""`streamlit`, with little for its pages to compute."""

import sys

import pytest
from streamlit.web.cli import main

from tests.little_work import leave_little_work

if __name__ == "__main__":
    leave_little_work(pytest.MonkeyPatch())
    sys.exit(main())
