"""Networks that learn to live with few bits: learned quantizers, quantized layers, depths."""
