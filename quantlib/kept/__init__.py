"""Results that outlive the process that made them, found by what they depend on."""
