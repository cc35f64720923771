"""What networks are for: super-resolution, classification, segmentation."""
