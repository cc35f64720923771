"""Measures of what quantization costs and saves."""

from quantlib.evaluation.quality import psnr_y, ssim_y

__all__ = ["psnr_y", "ssim_y"]
