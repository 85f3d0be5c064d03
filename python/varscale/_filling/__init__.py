"""Arrays, and filling them: the only way into the core."""
