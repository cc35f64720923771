"""Bitlens' library: quantize the activations of real networks and account for every byte."""

__version__ = "0.1.0"
