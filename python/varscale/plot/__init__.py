"""Pictures of laws and signals on matplotlib's axes, for notebooks; `varscale plot` makes pages of checkpoints."""

from ._laws import laws
from ._signal import signal

__all__ = ["laws", "signal"]

for _public in (laws, signal):
    _public.__module__ = __name__  # errors and help name what users import
