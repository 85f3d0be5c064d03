"""Running engines, which make the parts of a checkpoint; each is imported when `--on` names it."""
