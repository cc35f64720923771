"""Nobody is told of use: libraries that would send figures are told not to."""

import os
from collections.abc import MutableMapping

OFF = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime's wheels tell Microsoft of every session
}


def send_nothing(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what the libraries read when they are imported, so this comes first.

    A variable that somebody has set stays as it is.

    >>> environment = {"HF_HUB_DISABLE_TELEMETRY": "0"}
    >>> send_nothing(environment)
    >>> environment["HF_HUB_DISABLE_TELEMETRY"], environment["ORT_DISABLE_TELEMETRY"]
    ('0', '1')
    """
    for name, value in OFF.items():
        environment.setdefault(name, value)
