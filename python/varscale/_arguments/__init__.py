"""What callers write, in every way of writing it, checked once and brought into one form."""
