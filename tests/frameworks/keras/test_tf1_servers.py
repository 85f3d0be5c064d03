"""Parameter servers: variables live in a process that draws nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import tf1_scripts

SERVE = """
import sys
import tensorflow.compat.v1 as tf
cluster = tf.train.ClusterSpec({"ps": [sys.argv[1]], "worker": [sys.argv[2]]})
server = tf.train.Server(cluster, job_name=sys.argv[3], task_index=0)
print("serving", flush=True)
server.join()
"""
WORK = """
cluster = tf.train.ClusterSpec({"ps": [sys.argv[1]], "worker": [sys.argv[2]]})
way = sys.argv[3]
target = "grpc://" + sys.argv[2]
if way != "embedded":
    target = tf.train.Server(cluster, job_name="worker", task_index=0).target
init = initializers.lecun_normal(7, embed=way == "embedded")
def pinned(shape, dtype=None, partition_info=None):
    with tf.device("/job:worker/task:0"):
        return init(shape, dtype, partition_info)
with tf.device(tf.train.replica_device_setter(cluster=cluster)):
    start = pinned if way == "pinned" else init
    a = tf.get_variable("a", (100, 30), initializer=start, use_resource=True)
    b = tf.get_variable("b", (100, 30), initializer=start, use_resource=False)
    c = tf.get_variable("c", (100, 30), initializer=start, partitioner=tf.fixed_size_partitioner(2))
whole = tf.convert_to_tensor(c)
assert a.device == b.device == "/job:ps/task:0"
with tf.train.MonitoredTrainingSession(target, is_chief=True) as session:
    assert all((value == vs.lecun_normal(7)((100, 30))).all() for value in session.run([a, b, whole]))
"""


def address() -> str:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return f"localhost:{free.getsockname()[1]}"


def serve(*arguments: str) -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "serving\n"
    return server


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[str, str]]:
    places = address(), address()
    server = serve(*places, "ps")
    yield places
    server.kill()
    server.communicate()


@pytest.mark.parametrize("way", ["plain", "pinned", "embedded"])
def test_variables_on_a_server(places: tuple[str, str], way: str) -> None:
    """If this fails a variable of a parameter server is to be drawn where no Python is, or starts from other values."""
    ps, worker = places[0], places[1]
    session = serve(ps, worker, "worker") if way == "embedded" else None
    try:
        tf1_scripts.run(tf1_scripts.V1 + WORK, ps, worker, way)
    finally:
        if session:
            session.kill()
            session.communicate()
