"""A trained network learns to live with few bits."""
