"""Training of classifiers and segmenters."""
