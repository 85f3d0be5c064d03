"""What another process opens: checkpoints, and graphs."""

from __future__ import annotations

from pathlib import Path

import tf1_scripts

TRAIN = """
x, y = np.random.default_rng(0).normal(size=(64, 8)).astype("float32"), np.ones((64, 1), "float32")
with tf.variable_scope("net", initializer=initializers.he_normal(seed=7)):
    first = tf.get_variable("first", (8, 16), partitioner=tf.fixed_size_partitioner(3))
    second = tf.get_variable("second", (16, 1), use_resource=True)
whole = tf.convert_to_tensor(first)
loss = tf.reduce_mean((tf.nn.relu(x @ whole) @ second - y) ** 2)
saver, path = tf.train.Saver(), sys.argv[1] + "/model"
"""
SAVE = """
step = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
with tf.train.MonitoredSession() as session:
    assert (session.run(whole) == vs.he_normal(7)((8, 16))).all()
    assert (session.run(second) == vs.he_normal(7)((16, 1))).all()
    losses = [session.run([loss, step])[0] for _ in range(20)]
    assert losses[-1] < losses[0] / 2, losses
    saver.save(session._sess._sess._sess._sess, path)
    np.savez(path, first=session.run(whole), second=session.run(second))
"""
RESTORE = """
with tf.Session() as session:
    saver.restore(session, path)
    saved = np.load(path + ".npz")
    assert (session.run(whole) == saved["first"]).all() and (session.run(second) == saved["second"]).all()
    assert (saved["first"] != vs.he_normal(7)((8, 16))).any()
    session.run(tf.global_variables_initializer())
    assert (session.run(whole) == vs.he_normal(7)((8, 16))).all()
"""


def test_train_save_and_restore(tmp_path: Path) -> None:
    """If this fails a model does not train in a MonitoredSession, or a checkpoint does not open in a new process."""
    tf1_scripts.run(tf1_scripts.V1 + TRAIN + SAVE, tmp_path)
    tf1_scripts.run(tf1_scripts.V1 + TRAIN + RESTORE, tmp_path)


EXPORT = """
tf.get_variable("a", (4, 3), initializer=initializers.lecun_normal(seed=1))
tf.get_variable("b", (4, 3), initializer=initializers.lecun_normal(seed=2, embed=True))
tf.train.export_meta_graph(sys.argv[1] + "/graph.meta")
"""
IMPORT = """
other = tf.get_variable("other", (4, 3), initializer=initializers.lecun_normal(seed=9))
tf.train.import_meta_graph(sys.argv[1] + "/graph.meta")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for variable, seed in zip(tf.global_variables(), (9, 1, 2)):
        assert (session.run(variable) == vs.lecun_normal(seed)((4, 3))).all(), variable.name
"""
ALONE = """
tf.train.import_meta_graph(sys.argv[1] + "/graph.meta")
a, b = tf.global_variables()
with tf.Session() as session:
    session.run(b.initializer)
    assert (session.run(b) == vs.lecun_normal(2)((4, 3))).all()
    try:
        session.run(a.initializer)
    except tf.errors.OpError as error:
        assert "callback" in str(error)
    else:
        raise AssertionError("it ran without its process")
"""


def test_graphs_in_other_processes(tmp_path: Path) -> None:
    """If this fails an imported graph draws another tensor's values, or an embedded one needs its process."""
    tf1_scripts.run(tf1_scripts.V1 + EXPORT, tmp_path)
    tf1_scripts.run(tf1_scripts.V1 + IMPORT, tmp_path)
    tf1_scripts.run(tf1_scripts.V1 + ALONE, tmp_path)
