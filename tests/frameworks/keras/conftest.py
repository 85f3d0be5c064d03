"""The backend of Keras in this process, unless the environment names another; see test_keras_backends.py."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
