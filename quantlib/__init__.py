"""Bitlens' library: quantize the activations of real networks and account for every byte."""

from quantlib.caches import point_caches
from quantlib.telemetry import send_nothing

__version__ = "0.1.0"

point_caches()
send_nothing()
