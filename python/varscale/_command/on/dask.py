"""Dask: parts are tasks of a cluster, which runs those again whose worker dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from dask.distributed import Client, as_completed

from ...checkpoint._driver import Map

_CONNECTING, _STARTING = 10, 60
"""The seconds in which a scheduler must answer, and a first worker must come."""


@contextmanager
def cluster(address: str) -> Iterator[Map]:
    """A map over the workers of a scheduler.

    Raises:
        OSError: Nobody answers, or no worker is there.
    """
    with Client(address, timeout=_CONNECTING, set_as_default=False) as client:
        yield partial(_map, client)


def _map(client: Client, function: Callable[[int], int], places: Sequence[int]) -> Iterator[int]:
    futures = client.map(function, places, pure=False)
    client.wait_for_workers(1, timeout=_STARTING)
    for _, nbytes in as_completed(futures, with_results=True):
        yield nbytes
