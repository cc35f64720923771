"""The networks, the catalogue, and loading from the Hub, from files and from assets/."""

from quantlib.models.classifier import Classifier, load_classifier
from quantlib.models.loading import load
from quantlib.models.sr_network import SRNetwork

__all__ = ["Classifier", "SRNetwork", "load", "load_classifier"]
