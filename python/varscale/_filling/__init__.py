"""Arrays and how they are filled: the only way into the core."""
