"""Tensor to integer codes: bit-width, uniform, power-of-two, NoisyQuant and DQA quantizers."""
