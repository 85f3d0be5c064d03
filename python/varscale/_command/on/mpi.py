"""MPI: the ranks of one job make the parts, which rank 0 gives to the others."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from functools import partial
from typing import Any

from mpi4py import MPI
from mpi4py.futures import MPICommExecutor

from ...checkpoint._driver import Map


@contextmanager
def ranks() -> Iterator[Map | None]:
    """A map over the ranks, which rank 0 has. The others get None once there is nothing left to do.

    Raises:
        ValueError: There is one rank only.
    """
    world = MPI.COMM_WORLD
    if world.size == 1:
        msg = "--on mpi must run under mpiexec with at least 2 ranks, got 1"
        raise ValueError(msg)
    if world.rank != 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all ranks: the first ends the others
    with MPICommExecutor(world, root=0, main=False) as executor:
        try:
            yield None if executor is None else partial(_map, executor)
        finally:
            if executor is not None:
                executor.shutdown(cancel_futures=True)


def _map(executor: Any, function: Callable[[int], int], places: Sequence[int]) -> Iterator[int]:
    for part in as_completed([executor.submit(function, place) for place in places]):
        yield part.result()
