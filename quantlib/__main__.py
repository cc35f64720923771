"""`python -m quantlib VERB`, and what the console script `bitlens` calls."""

import sys


def start() -> int:
    """`quantlib.cli.main`; stopped while it is imported, it ends as it would later."""
    try:
        from quantlib.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(start())
