"""Models: many tensors by name."""
