"""Sources: what a checkpoint is made of, recognised by what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .._arguments.show import show
from .._models.document import FORMAT
from .._models.headers import METADATA, read_headers, weights_of
from .._models.model import Model
from .._models.rules import Rule
from .change import check_rules, with_dtype, with_rules
from .document import of_file, read_json
from .network import of_config, of_function
from .options import by_options
from .spec import read_spec

_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_KINDS = (
    "a safetensors file or its index, a folder with one of them or with transformers' config.json, "
    "package.module:function, a plan (JSON), or a spec (TOML)"
)


class Source(NamedTuple):
    """A model, and the config that lay beside it."""

    model: Model
    config: Path | None = None


def read_source(text: str, rules: list[Rule], layout: Any) -> Source:
    """The model of a source. The rules count first; the layout is for what brings none.

    Raises:
        TypeError: Something in a file is of the wrong kind.
        ValueError: It is no source, or holds what is no model.
        ImportError: It needs a package that is not installed.
        OSError: It cannot be read.
    """
    path = Path(text.replace("\0", "/"))
    if not text or not path.exists():
        if _FUNCTION.fullmatch(text):
            return Source(with_rules(of_function(text, rules), rules, layout))
        msg = f"SOURCE must be {_KINDS}, got {show(text)}, which is not there"
        raise ValueError(msg)
    if (path / "config.json").exists():
        return _of_config(path, rules)
    if path.is_dir() and weights_of(path).exists():
        return _weights(path, rules, layout)
    if path.suffix == ".safetensors":
        return _weights(path, rules, layout)
    document = None
    with of_file(str(path)):
        if path.suffix == ".toml":
            return Source(read_spec(path, rules, layout))
        if path.suffix == ".json":
            document = read_json(path)
        if isinstance(document, Mapping) and document.get("format") == FORMAT:
            return Source(with_rules(Model.from_dict(document), rules, layout))
    if isinstance(document, Mapping) and "weight_map" in document:
        return _weights(path, rules, layout)
    if isinstance(document, Mapping) and path.name == "config.json":
        return _of_config(path.parent, rules)
    msg = f"SOURCE must be {_KINDS}, got {show(text)}, which is none of these"
    raise ValueError(msg)


def _weights(path: Path, rules: list[Rule], layout: Any) -> Source:
    stored, metadata = read_headers(path, whole=False)
    with of_file(str(path)), by_options("rules"):
        check_rules(stored, rules)
        return Source(Model({**stored, METADATA: metadata}, rules, layout=layout, strict=True))


def _of_config(folder: Path, rules: list[Rule]) -> Source:
    model, dtype = of_config(folder, rules)
    config = folder / "config.json"
    with of_file(str(config)):
        return Source(with_dtype(model, dtype), config)
