"""Defaults: the strings that layers have for their initializers stand for ours for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .._arguments.checks import boolean
from .._sources.seeds import parse_native
from .framework import Framework
from .scopes import fans

_WORDS = {
    "glorot_normal": "GlorotNormal",
    "glorot_uniform": "GlorotUniform",
    "he_normal": "HeNormal",
    "he_uniform": "HeUniform",
    "lecun_normal": "LecunNormal",
    "lecun_uniform": "LecunUniform",
    "normal": "RandomNormal",
    "orthogonal": "Orthogonal",
    "random_normal": "RandomNormal",
    "random_uniform": "RandomUniform",
    "truncated_normal": "TruncatedNormal",
    "uniform": "RandomUniform",
    "variance_scaling": "VarianceScaling",
}
"""What draws. Zeros and ones are the same wherever they are made."""


class Default:
    """What a string stands for: a class, and the seed that its instances get."""

    def __init__(self, cls: Any, seed: int | None) -> None:
        self._cls, self._seed = cls, seed
        self.__name__ = cls.__name__

    def from_config(self, config: Mapping[str, Any]) -> Any:
        """An instance."""
        return self._cls.from_config({"seed": self._seed, **config})


def defaults_of(framework: Framework, classes: Mapping[str, Any]) -> Callable[..., AbstractContextManager[None]]:
    """The context manager of one framework."""

    @contextmanager
    def defaults(seed: int | None = None, *, exact_keras_fans: bool = False) -> Iterator[None]:
        """Inside, the strings of layers, such as "glorot_uniform", stand for our initializers, in this thread.

        Their weights have the fans of one unit: of a depthwise or transposed kernel, of a group, of a gate. Saved
        configs hold Keras' keys alone, so that what is made of them elsewhere counts as Keras does.

        Args:
            seed: The seed of all of them, which draw from streams named by their variables' paths; None for seeds of
                Keras' global generator.
            exact_keras_fans: Whether fans are those that Keras guesses from the shape.

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: `seed` is a replay. Building a layer raises it where its fans are not known.

        Example:
            >>> with vs.keras.defaults(seed=7):  # doctest: +SKIP
            ...     model = keras.applications.ResNet50(weights=None)
        """
        given, family = parse_native(seed)._given, not boolean("exact_keras_fans", exact_keras_fans)
        words = {word: Default(classes[name], given) for word, name in _WORDS.items()}
        with framework.module.saving.custom_object_scope(words), fans(family):
            yield

    defaults.__module__ = framework.face
    return defaults
