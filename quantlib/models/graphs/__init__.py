"""Networks that come as a graph of operators (ONNX), and as PyTorch modules leave."""
