"""The networks, the catalogue, and loading from the Hub, from files and from assets/."""

from quantlib.models.loading import SRNetwork, load

__all__ = ["SRNetwork", "load"]
