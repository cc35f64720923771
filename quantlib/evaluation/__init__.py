"""Measures of what quantization costs and saves."""
