"""Rules from a shape to a law and its scale: every public initializer, and configs."""
