"""The engine that `--on` names."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

from ..._arguments.show import show
from ...checkpoint._driver import Map

_FORM = re.compile(r"(?P<engine>dask|ray)://(?P<address>[^/\s]+:\d{1,5})|(?P<here>ray)://auto|(?P<mpi>mpi)")


def opened(text: str) -> AbstractContextManager[Map | None]:
    """A connection to an engine, which gives its map; None for a process that did its share of another one's.

    Raises:
        ValueError: The text names no engine.
        ImportError: The engine is not installed.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        msg = f"--on must be dask://HOST:PORT, ray://HOST:PORT, ray://auto or mpi, got {show(text)}"
        raise ValueError(msg)
    engine = found["engine"] or found["here"] or found["mpi"]
    try:
        if engine == "dask":
            from .dask import cluster

            return cluster(found["address"])
        if engine == "ray":
            from .ray import cluster

            return cluster("auto" if found["here"] else text)
        from .mpi import ranks

        return ranks()
    except (ModuleNotFoundError, RuntimeError) as error:  # mpi4py's where there is no MPI
        reason = str(error).splitlines()[0]
        msg = f"--on {engine} needs what is not installed ({reason}): pip install 'varscale[{engine}]'"
        raise ImportError(f"{msg} and an MPI, such as mpich" if engine == "mpi" else msg) from error
