"""Dask: parts are tasks of a cluster, which runs those again whose worker dies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from dask.distributed import CancelledError, Client, KilledWorker, as_completed

from ...checkpoint._driver import Map
from .failure import failure

_CONNECTING, _STARTING = 10, 60
"""The seconds in which a scheduler must answer, and a first worker must come."""


@contextmanager
def cluster(address: str) -> Iterator[Map]:
    """A map over the workers of a scheduler.

    Raises:
        OSError: Nobody answers, or no worker is there.
    """
    with Client(address, timeout=_CONNECTING) as client:
        try:
            yield partial(_map, client)
        except KeyboardInterrupt:
            logging.disable()  # Dask's threads tell of what they were at; this process ends
            raise


def _map(client: Client, function: Callable[[int], int], places: Sequence[int]) -> Iterator[int]:
    futures = client.map(function, places, pure=False)
    try:
        client.wait_for_workers(1, timeout=_STARTING)
        for _, nbytes in as_completed(futures, with_results=True):
            yield nbytes
    except TimeoutError as error:
        msg = f"the scheduler must have a worker, got none in {_STARTING} seconds"
        raise TimeoutError(msg) from error
    except (CancelledError, KilledWorker, RuntimeError) as error:
        raise failure("Dask", error) from error
