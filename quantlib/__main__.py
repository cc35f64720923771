"""`python -m quantlib VERB`."""

import sys

from quantlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
