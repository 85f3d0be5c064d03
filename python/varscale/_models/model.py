"""Models: all parameters of a network, each with a stream of its own, named by the parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from re import Pattern
from types import MappingProxyType
from typing import Any, SupportsIndex, cast

from numpy.typing import NDArray

from .._arguments.checks import boolean, entries
from .._arguments.dtypes import DTypeLike
from .._arguments.layouts import Layout
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._initializers.base import Initializer
from .._sources.seeds import parse_native
from .covering import cover
from .document import digest, from_document, to_document
from .jobs import ModelJob, cut
from .layouts import parse_layout
from .making import make_parameters, seeded
from .parameter import Parameter
from .progress import Progress
from .rules import Rule, parse_rules
from .spellings import hold
from .table import ModelTable


class Model(Mapping[str, Parameter]):
    """The parameters of a network by name: an ordered mapping from names to `Parameter`s.

    Every parameter draws from a stream named by the seed and its own name: `model.init(seed)[name]` equals
    `initializer.fold_in(name)(shape, dtype)` for an initializer of that seed. So two parameters of one shape differ,
    and no value depends on the order, on other layers, or on which worker makes what.

    Weights of a torch module are (out, in, *kernel), those of Keras and Flax (*kernel, in, out), those of MLX
    (out, *kernel, in). An initializer that names neither axes nor a layout counts its fans by the model's, unless a
    layer of torch or a name tells more: groups, stacked experts. Without a layout, a model whose values depend on it is
    an error.

    Args:
        parameters: A mapping from names, which may be nested (its keys are then joined by slashes) or have paths as
            keys; pairs, such as `named_parameters()`; a torch module, whose buffers count too; a Keras model; a state
            of Flax's nnx; or the path of a safetensors file, of an index or of a folder with one, of which only headers
            are read. An entry is a shape, a tuple (shape, dtype) or (shape, dtype, initializer) with None for what is
            not given, or anything with a `shape` and a `dtype`.
        rules: `Rule`s, or (pattern, initializer) pairs, for parameters without an initializer. The first that matches
            counts; those of `default_rules()` follow.
        layout: "torch" for weights (out, in, *kernel), "keras" or "jax" for (*kernel, in, out), "mlx" for
            (out, *kernel, in). Modules, tensors and variables of torch, Keras and TensorFlow, states of nnx, and files
            that name their format bring theirs.
        dtype: The dtype of parameters without one; None for their initializer's own. A counter stays int64.
        strict: Whether a rule that matches nothing is an error. Otherwise it is a warning.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: No rule covers a parameter (the error lists all of them), values depend on a layout and none is
            known, an initializer has a seed of its own, a shape or a dtype is illegal, a name comes twice, or a file
            cannot be read.

    Warns:
        UserWarning: A rule matches nothing.

    Example:
        >>> import varscale as vs
        >>> shapes = {"wte": (50257, 768), "h.0.ln.weight": (768,), "h.0.mlp.weight": (3072, 768)}
        >>> model = vs.Model(shapes, layout="torch")
        >>> model
        Model of 3 parameters, 40,957,440 values, 163,829,760 bytes
        >>> model["h.0.mlp.weight"].initializer
        LecunNormal(seed=None, in_axis=1, out_axis=0)
        >>> weights = model.init(seed=7)
        >>> init = vs.lecun_normal(7, in_axis=1, out_axis=0).fold_in("h.0.mlp.weight")
        >>> bool((weights["h.0.mlp.weight"] == init((3072, 768))).all())
        True
    """

    _tied: Mapping[str, str] = MappingProxyType({})
    """The first names of tied parameters by their other ones, where a module has told them."""

    _layout: str | None = None
    """The layout that its author named, or that the parameters brought."""

    def __init__(
        self,
        parameters: Any,
        rules: Iterable[Rule | tuple[str | Pattern[str], Initializer]] = (),
        *,
        layout: Layout | None = None,
        dtype: DTypeLike | None = None,
        strict: bool = False,
    ) -> None:
        own, held = parse_rules(rules), hold(parameters)
        self._tied = held.tied
        self._layout = parse_layout(layout, held.layouts)
        self._parameters = cover(held, own, self._layout, dtype, strict=boolean("strict", strict))

    def __getitem__(self, name: str) -> Parameter:
        if not isinstance(name, str) or name not in self._parameters:
            msg = f"`name` must be a name of the model, got {show(name)}"
            raise KeyError(msg)
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    @property
    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(parameter.size for parameter in self.values())

    @property
    def nbytes(self) -> int:
        """The number of bytes that all parameters take."""
        return sum(parameter.nbytes for parameter in self.values())

    def init(
        self,
        seed: SupportsIndex | None = None,
        names: Iterable[str] | None = None,
        *,
        progress: bool | Callable[[int, int], object] = False,
    ) -> dict[str, NDArray[Any]]:
        """Makes the parameters, all in one parallel pass.

        Args:
            seed: Any integer, or None (see `set_random_seed`). A replay draws one tensor, and is refused.
            names: The parameters to make, in this order; None for all.
            progress: True for a bar, which needs tqdm, or a function of the bytes done and the bytes in all. It is
                called about every 64 MB.

        Returns:
            The arrays by name. Those between 64 KiB and 4 MB share blocks of 32 MB, each of which lives as long as one
            of its arrays: keep a copy of a few that should outlive the model.

        Raises:
            KeyError: A name is not in the model.
            ValueError: A name comes twice, or the seed is a replay.
            TypeError: An argument is of the wrong kind.
            ImportError: A bar is asked for, but tqdm is not installed.
        """
        chosen, native = self._chosen(names), parse_native(seed)
        with Progress(progress, 0 if progress is False else sum(self[name].nbytes for name in chosen)) as watched:
            return make_parameters({name: self._parameters[name] for name in chosen}, native, watched)

    def lazy(self, seed: SupportsIndex | None = None, names: Iterable[str] | None = None) -> dict[str, Lazy]:
        """The parameters as lazy tensors, which make only what is asked of them.

        Args:
            seed: As for `init`. Without one, the streams are chosen now, and do not change any more.
            names: The parameters wanted, in this order; None for all.

        Returns:
            The lazy tensors by name.

        Raises:
            KeyError: A name is not in the model.
            ValueError: A name comes twice, or the seed is a replay.
            TypeError: An argument is of the wrong kind.
        """
        chosen, with_seed = self._chosen(names), seeded(parse_native(seed))
        return {
            name: with_seed(self[name].initializer).fold_in(name).lazy(self[name].shape, self[name].dtype)
            for name in chosen
        }

    def jobs(
        self, seed: SupportsIndex | None = None, *, max_bytes: int = 1 << 28, names: Iterable[str] | None = None
    ) -> Iterator[ModelJob]:
        """The model as independent jobs, which pickle and may be run anywhere and in any order.

        Any `concurrent.futures.Executor` can run them: threads, processes, Dask or MPI. Small parameters share a job,
        large ones are cut along their first axes, and the jobs together make the model.

        Args:
            seed: As for `init`.
            max_bytes: The most bytes that a job makes.
            names: The parameters wanted; None for all.

        Raises:
            KeyError: A name is not in the model.
            TypeError: An argument is of the wrong kind.
            ValueError: `max_bytes` cannot hold one element, a name comes twice, or the seed is a replay.

        Example:
            >>> import varscale as vs
            >>> from concurrent.futures import ThreadPoolExecutor
            >>> model = vs.Model({"w": (1000, 300), "b": (300,)}, layout="jax")
            >>> with ThreadPoolExecutor(2) as executor:
            ...     for parts in executor.map(vs.ModelJob.run, model.jobs(7, max_bytes=400_000)):
            ...         print([(part.name, part.index[0], part.values.shape) for part in parts])
            [('w', slice(0, 333, 1), (333, 300))]
            [('w', slice(333, 666, 1), (333, 300))]
            [('w', slice(666, 999, 1), (333, 300))]
            [('w', slice(999, 1000, 1), (1, 300)), ('b', slice(0, 300, 1), (300,))]
        """
        return cut(self.lazy(seed, names), max_bytes)

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON-serializable values: the shape, the dtype and the initializer of each parameter by name.

        It holds no seed. `from_dict` makes an equal model of it, also where no framework is installed.

        Example:
            >>> import varscale as vs
            >>> vs.Model({"b": ((4,), None, vs.Zeros())}).to_dict()["parameters"]  # doctest: +ELLIPSIS
            {'b': {'shape': [4], 'dtype': 'float32', 'initializer': {'class_name': 'Zeros', 'config': {...}}}}
        """
        return to_document(self._parameters)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Model:
        """The model of what `to_dict` returned, with all initializers as they were; `document` is not changed.

        Raises:
            TypeError: An entry is of the wrong kind, or unknown.
            ValueError: The document is of another format, version or stream, or an entry has an illegal value.
        """
        model = object.__new__(cls)
        model._parameters = from_document(document)
        return model

    def digest(self) -> str:
        """64 hexadecimal digits that tell models apart: the SHA-256 of `to_dict`, whatever the order of its keys.

        Equal digests and equal seeds mean equal weights.
        """
        return digest(self.to_dict())

    def describe(self) -> ModelTable:
        """A table of all parameters with their shapes, dtypes, initializers, fans, standard deviations and bytes.

        It prints with aligned columns in a terminal and as HTML in a notebook; `rows` holds the numbers.
        """
        return ModelTable(self._parameters)

    def _chosen(self, names: Iterable[str] | None) -> list[str]:
        """The names wanted, which must be in the model, each once."""
        if names is None:
            return list(self)
        chosen: dict[str, None] = {}
        for name in entries("names", names, "a collection of names"):
            if not isinstance(name, str) or name not in self:
                msg = f"`names` must be names of the model, got {show(name)}"
                raise KeyError(msg)
            if name in chosen:
                msg = f"`names` must hold each name once, got {show(name)} twice"
                raise ValueError(msg)
            chosen[name] = None
        return list(chosen)

    def __eq__(self, other: object) -> bool:
        return self._parameters == other._parameters if isinstance(other, Model) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._parameters.items()))

    def __repr__(self) -> str:
        plural = "" if len(self) == 1 else "s"
        return f"Model of {len(self)} parameter{plural}, {self.size:,} values, {self.nbytes:,} bytes"


def tied_names(model: Model) -> Mapping[str, str]:
    """The first names of tied parameters by their other ones; a model that was made of names and shapes knows none."""
    return model._tied


def model_layout(model: Model) -> Layout | None:
    """The layout of a model's weights; a model that was read from a document knows none."""
    return cast("Layout | None", model._layout)
