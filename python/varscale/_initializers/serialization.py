"""Initializers from names and configs, and back, in the words of TensorFlow and Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._arguments.checks import check_config
from .._arguments.show import show
from .base import PACKAGE, Initializer
from .constant import Constant, Ones, Zeros
from .diagonal import Identity
from .kernels import Bilinear, Dirac
from .log_uniform import LogUniform
from .orthogonal import DeltaOrthogonal, Orthogonal
from .presets import GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform
from .random import RandomNormal, RandomUniform, TruncatedNormal
from .sparse import Sparse
from .unit_scaling import UniformUnitScaling
from .variance_scaling import VarianceScaling

BY_NAME: dict[str, type[Initializer]] = {
    "VarianceScaling": VarianceScaling,
    "LecunNormal": LecunNormal,
    "LecunUniform": LecunUniform,
    "GlorotNormal": GlorotNormal,
    "XavierNormal": GlorotNormal,
    "GlorotUniform": GlorotUniform,
    "XavierUniform": GlorotUniform,
    "HeNormal": HeNormal,
    "KaimingNormal": HeNormal,
    "HeUniform": HeUniform,
    "KaimingUniform": HeUniform,
    "RandomNormal": RandomNormal,
    "TruncatedNormal": TruncatedNormal,
    "LogUniform": LogUniform,
    "RandomUniform": RandomUniform,
    "Constant": Constant,
    "Zeros": Zeros,
    "Ones": Ones,
    "Identity": Identity,
    "Dirac": Dirac,
    "Bilinear": Bilinear,
    "Sparse": Sparse,
    "UniformUnitScaling": UniformUnitScaling,
    "Orthogonal": Orthogonal,
    "DeltaOrthogonal": DeltaOrthogonal,
    "variance_scaling": VarianceScaling,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "glorot_normal": GlorotNormal,
    "xavier_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "xavier_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "kaiming_normal": HeNormal,
    "he_uniform": HeUniform,
    "kaiming_uniform": HeUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "log_uniform": LogUniform,
    "random_uniform": RandomUniform,
    "constant": Constant,
    "zeros": Zeros,
    "ones": Ones,
    "identity": Identity,
    "dirac": Dirac,
    "bilinear": Bilinear,
    "sparse": Sparse,
    "uniform_unit_scaling": UniformUnitScaling,
    "orthogonal": Orthogonal,
    "delta_orthogonal": DeltaOrthogonal,
    # Words that TensorFlow's and Keras' `get` know beside the classes' own names.
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "one": Ones,
    "zero": Zeros,
    "IdentityInitializer": Identity,
    "UniformScaling": UniformUnitScaling,  # Haiku's
    "OrthogonalInitializer": Orthogonal,
    # TensorFlow.js: its `get` knows the former, its configs have the latter.
    "varianceScaling": VarianceScaling,
    "leCunNormal": LecunNormal,
    "leCunUniform": LecunUniform,
    "glorotNormal": GlorotNormal,
    "glorotUniform": GlorotUniform,
    "heNormal": HeNormal,
    "heUniform": HeUniform,
    "randomNormal": RandomNormal,
    "truncatedNormal": TruncatedNormal,
    "randomUniform": RandomUniform,
    "LeCunNormal": LecunNormal,
    "LeCunUniform": LecunUniform,
}
_MODULES = {PACKAGE, "keras", "keras_core", "tensorflow", "tf_keras"}
"""The packages whose classes ours stand for."""


def serialize(initializer: Initializer | None) -> dict[str, Any] | None:
    """A JSON-serializable dict from which `deserialize` makes an equal initializer; None for None.

    Its keys are Keras 3's: module, class_name, config, registered_name.

    Raises:
        TypeError: `initializer` is not an initializer instance with `get_config`.
    """
    if initializer is None:
        return None
    if isinstance(initializer, type) or not callable(getattr(initializer, "get_config", None)):
        msg = f"`initializer` must be an initializer instance with `get_config`, got {show(initializer)}"
        raise TypeError(msg)
    # Our classes go by the package alone, so that files may move.
    cls = type(initializer)
    module = PACKAGE if cls.__module__.partition(".")[0] == PACKAGE else cls.__module__
    config = initializer.get_config()
    return {"module": module, "class_name": cls.__name__, "config": config, "registered_name": None}


def deserialize(
    config: Mapping[str, Any] | str | None, custom_objects: Mapping[str, Callable[..., Any]] | None = None
) -> Any:
    """Makes the initializer of a dict that `serialize`, TensorFlow or Keras made; None for None.

    Args:
        config: A name, or `{"class_name": ..., "config": {...}}` with or without Keras' module keys. It is not changed.
        custom_objects: Further classes by name, which come first. Subclasses of `Initializer` are known without it,
            once they are defined.

    Raises:
        TypeError: `config` is of another kind, or holds a key that the class does not know.
        ValueError: The class name is unknown, or two modules have a class of this name and none is given.
    """
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        msg = f"`custom_objects` must be a mapping from names, got {show(custom_objects)}"
        raise TypeError(msg)
    if config is None:
        return None
    if isinstance(config, str):
        return _find(config, None, custom_objects)()
    if not isinstance(config, Mapping):
        msg = f"`config` must be a mapping with `class_name`, a name or None, got {show(config)}"
        raise TypeError(msg)
    name = config.get("class_name", config.get("className"))  # the latter is TensorFlow.js' word
    if not isinstance(name, str):
        msg = f"`config` must have a `class_name`, got {show(dict(config))}"
        raise ValueError(msg)
    module = config.get("module")
    if module is not None and not isinstance(module, str):
        msg = f"`module` of `config` must be a string or None, got {show(module)}"
        raise TypeError(msg)
    found = _find(name, module, custom_objects)
    inner = config.get("config")
    inner = {} if inner is None else check_config(name, inner)
    from_config = getattr(found, "from_config", None)
    return found(**inner) if from_config is None else from_config(inner)


def get(identifier: Any) -> Any:
    """The initializer that a name, a class or a config stands for; an initializer is returned as it is, and so is None.

    Args:
        identifier: A name in snake_case or CamelCase, a class (which is instantiated), a config dict, or any callable
            `f(shape, dtype=None)` (which is returned as it is).

    Raises:
        TypeError: `identifier` is of none of these kinds.
        ValueError: The name is unknown.

    Example:
        >>> import varscale as vs
        >>> vs.get("lecun_normal") == vs.get(vs.LecunNormal) == vs.get({"class_name": "LecunNormal"})
        True
    """
    if identifier is None or isinstance(identifier, str | Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    msg = f"`identifier` must be a name, a class, a config, a callable or None, got {show(identifier)}"
    raise TypeError(msg)


def _find(name: str, module: str | None, custom_objects: Mapping[str, Callable[..., Any]] | None) -> Callable[..., Any]:
    """The class of this name: a custom object, one of ours, or a user's subclass that has been defined."""
    if custom_objects and name in custom_objects:
        if not callable(custom_objects[name]):
            msg = f"`custom_objects` must hold classes or functions, got {show(custom_objects[name])}"
            raise TypeError(msg)
        return custom_objects[name]
    # A user's class before ours: its module tells them apart, even where the names are equal.
    registry = Initializer._registry
    if module is not None and (module, name) in registry:
        return registry[module, name]
    is_ours = module is None or module.partition(".")[0] in _MODULES
    if is_ours and name in BY_NAME:
        return BY_NAME[name]
    # Configs of TensorFlow 1 and 2 name no module. Where only one user's class has the name, it is that one.
    users = [cls for (_, own), cls in registry.items() if own == name] if module is None else []
    if len(users) == 1:
        return users[0]
    if users:
        msg = f"`class_name` {show(name)} needs its `module`, one of {show([cls.__module__ for cls in users])}"
        raise ValueError(msg)
    if is_ours and name.removesuffix("V2") in BY_NAME:  # tf_keras' second name for each of its classes
        return BY_NAME[name.removesuffix("V2")]
    where = "" if module is None else f" of the module {show(module)}"
    known = ", ".join(sorted({cls.__name__ for cls in BY_NAME.values()}))
    msg = f"`class_name` must be that of an initializer, got {show(name)}{where}; known are {known}"
    raise ValueError(msg)
