"""Checkpoints: first weights as files, which may be larger than memory."""

from ._diff import Diff, Difference, diff
from ._inspect import inspect
from ._inspection import Inspected, Inspection
from ._save import finish, save

__all__ = ["Diff", "Difference", "Inspected", "Inspection", "diff", "finish", "inspect", "save"]

for _public in (Diff, Difference, Inspected, Inspection, diff, finish, inspect, save):
    _public.__module__ = __name__  # errors and help name what users import
