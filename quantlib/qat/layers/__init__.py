"""Layers that carry learned quantizers, and how they get into a network."""
