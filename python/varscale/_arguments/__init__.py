"""Arguments: every spelling that callers may use, checked once and brought into one form."""
