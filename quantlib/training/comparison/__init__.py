"""Every method trained under the same conditions."""
