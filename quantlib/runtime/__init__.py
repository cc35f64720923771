"""True integers: what of a network runs as integers, the kernels that do it, and ONNX."""
