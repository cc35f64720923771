"""What the server tells whoever runs it: lines of JSON, without pictures, names or addresses."""

import json
import logging
from datetime import UTC, datetime

_logger = logging.getLogger("bitlens.server")


class Lines(logging.Formatter):
    """One object per line: when, how grave, what happened, and its figures."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"time": when, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(told | getattr(record, "figures", {}))


def tell(event: str, **figures: str | float) -> None:
    """A line; `figures` are words of this code and numbers, never what a visitor sent."""
    if not _logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Lines())
        _logger.addHandler(handler)
        _logger.propagate = False
        _logger.setLevel(logging.INFO)
    _logger.info(event, extra={"figures": figures})
