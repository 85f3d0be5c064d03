"""Many tensors by name."""
