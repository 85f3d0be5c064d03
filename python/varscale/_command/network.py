"""Networks as sources: a function of the user's, or a config of transformers, read by what their own code says."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from traceback import walk_tb
from typing import Any, NamedTuple

from .._arguments.show import show
from .._models.model import Model
from .._models.rules import Rule
from .options import by_options


class Network(NamedTuple):
    """What a network's code says."""

    model: Model
    dtype: str | None
    """The dtype that a config names."""


def of_function(text: str, rules: list[Rule]) -> Model:
    """The model that `package.module:function` returns, or that of the torch module which it builds.

    Raises:
        ValueError: It cannot be imported or called, or returns something else.
    """
    module, _, path = text.partition(":")
    sys.path.insert(0, os.getcwd())  # as `python -m` has it, and an installed command has not
    try:
        function: Any = import_module(module)
        for name in path.split("."):
            function = getattr(function, name)
    except Exception as error:  # whatever the user's module does when it is imported
        raise _failed(text, "be imported", error) from error
    if not callable(function):
        msg = f"{show(text)} must be a function, got {show(function)}"
        raise ValueError(msg)
    torch = sys.modules.get("torch")
    if torch is not None:
        with suppress(Exception), torch.device("meta"):  # what it builds, at no cost: then it is read for real
            if isinstance(function(), torch.nn.Module):
                return _read(text, function, rules)
    try:
        model = function()
    except Exception as error:
        raise _failed(text, "be called", error) from error
    if torch is not None and isinstance(model, torch.nn.Module):
        return _read(text, function, rules)
    if not isinstance(model, Model):
        msg = f"{show(text)} must return a varscale.Model or a torch module, got {show(model)}"
        raise ValueError(msg)
    return model


def of_config(folder: Path, rules: list[Rule]) -> Network:
    """The network of a folder's config.json.

    Raises:
        ImportError: transformers is not installed.
        ValueError: It knows no network of this config.
    """
    try:
        import transformers
    except ImportError as error:
        msg = f"{folder / 'config.json'} needs transformers and torch: pip install 'varscale[torch]' transformers"
        raise ImportError(msg) from error
    transformers.logging.set_verbosity_error()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        names = getattr(config, "architectures", None)
        cls = getattr(transformers, names[0], None) if names else None
        from_config = transformers.AutoModel.from_config
    except Exception as error:  # of a config's own checks, which are of any kind
        raise _failed(str(folder / "config.json"), "be read by transformers", error) from error
    # What else transformers has under this name is not called: a file must not choose what runs.
    if names and not (isinstance(cls, type) and issubclass(cls, transformers.PreTrainedModel)):
        msg = f"{folder / 'config.json'} must name a network that transformers knows first, got {show(names)}"
        raise ValueError(msg)
    model = _read(str(folder), lambda: from_config(config) if cls is None else cls(config), rules)
    if not model:
        msg = f"{folder / 'config.json'} must name a network that has weights, got {show(names)}"
        raise ValueError(msg)
    dtype = getattr(config, "dtype", None) or getattr(config, "torch_dtype", None)
    return Network(model, None if dtype is None else str(dtype).removeprefix("torch."))


def _read(text: str, function: Callable[[], Any], rules: list[Rule]) -> Model:
    """The laws of a network, of those tensors that its state dict has, in their order."""
    from ..torch import model_of

    built: list[Any] = []

    def factory() -> Any:
        built.append(function())
        return built[-1]

    try:
        with warnings.catch_warnings(), by_options("rules"):
            warnings.filterwarnings("ignore", "`rules` must match", UserWarning)  # which is an error of the command's
            model = model_of(factory, rules=rules)
    except (TypeError, ValueError) as error:
        msg = f"{text}: {error}"
        raise ValueError(msg) from error
    except Exception as error:
        raise _failed(text, "be built", error) from error
    return Model({name: model[name] for name in built[-1].state_dict() if name in model}, layout="torch")


def _failed(text: str, what: str, error: Exception) -> ValueError:
    """The error for what code that is not ours raises, with the line where that was."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    ours = os.path.dirname(os.path.dirname(__file__))
    places = [place for place in frames if not place[0].startswith((ours, "<frozen"))]
    where = f" in {places[-1][0]}, line {places[-1][1]}" if places else ""
    message = (str(error).splitlines() or [""])[0]
    return ValueError(f"{show(text)} must {what}, got {type(error).__name__}{where}: {message}")
