"""Ray: parts are tasks of a cluster, which runs those again whose worker dies."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import ray

from ...checkpoint._driver import Map
from .failure import failure


@contextmanager
def cluster(address: str) -> Iterator[Map]:
    """A map over the workers of a cluster.

    Raises:
        OSError: Nobody answers.
    """
    logging.getLogger("ray.util").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is in the error too
        try:
            ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
        except (ConnectionError, RuntimeError) as error:
            raise failure(f"Ray at {address}", error) from error
    try:
        yield _map
    finally:
        ray.shutdown()


def _map(function: Callable[[int], int], places: Sequence[int]) -> Iterator[int]:
    task = ray.remote(_call)
    waiting = [task.remote(function, place) for place in places]
    while waiting:
        done, waiting = ray.wait(waiting)
        try:
            results = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise failure("Ray", error) from error
        for result in results:
            if isinstance(result, Exception):
                raise result
            yield result


def _call(function: Callable[[int], int], place: int) -> int | Exception:
    """A part, or the user's mistake: of what is raised Ray prints pages, for every part once."""
    try:
        return function(place)
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        return error
