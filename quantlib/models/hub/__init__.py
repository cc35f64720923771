"""Files of the Hugging Face Hub: named, fetched into its cache, and held against its digests."""

from quantlib.models.hub.fetching import HubFile, fetch, hub_reachable
from quantlib.models.hub.reference import HubReference

__all__ = ["HubFile", "HubReference", "fetch", "hub_reachable"]
