"""The networks, the catalogue, and loading from the Hub, from files and from assets/.

Names come when they are asked for: the catalogue is read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantlib.models.classifier import Classifier, load_classifier
    from quantlib.models.loading import load
    from quantlib.models.sr_network import SRNetwork

__all__ = ["Classifier", "SRNetwork", "load", "load_classifier"]

_HOMES = {
    "Classifier": "classifier",
    "SRNetwork": "sr_network",
    "load": "loading",
    "load_classifier": "classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
