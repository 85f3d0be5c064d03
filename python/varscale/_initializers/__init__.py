"""The public initializers, which find a law and its scale for every shape, and their configs."""
