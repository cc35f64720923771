"""Post-training quantization: puts a quantizer on the activation sites of a trained network."""

from quantlib.ptq.network import QuantizedNetwork, quantize
from quantlib.ptq.settings import Settings
from quantlib.ptq.sites import Site, SiteNetwork

__all__ = ["QuantizedNetwork", "Settings", "Site", "SiteNetwork", "quantize"]
