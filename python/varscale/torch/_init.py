"""Filling tensors and modules of PyTorch where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import torch

from .._arguments.show import show
from .._engines import check_covers, check_initializer, check_repeats, lazy_tensor, listed
from .._filling.lazy import Lazy
from .._initializers.builtin import Builtin
from .._models.layouts import laid_out
from .._models.model import Model, tied_names
from .._sources.seeds import SeedLike, parse_native
from ._memory import Filling, check_memory, dtype_name, filling, has_memory, is_sharded, is_written, run
from ._modules import Rule, rules_of, statistics_of
from ._names import Label, Named, tensors_of
from ._record import check_not_kept

Target = TypeVar("Target", bound="torch.Tensor | torch.nn.Module")
Makers = dict[str, Callable[[], Lazy]]
"""By the name of a tensor, what makes the lazy tensor that it is to hold."""
_ALONE: list[Rule] = [laid_out]
"""The rules of a tensor of which nothing is known but its shape."""


def init_(
    target: Target,
    init_or_model: Builtin | Lazy | Model,
    seed: SeedLike = None,
    *,
    names: str | Iterable[str] | None = None,
    keep: str | Iterable[str] = (),
    everything: bool = False,
) -> Target:
    """Fills a tensor or a module, in place, with the bits that varscale makes anywhere else.

    A tensor on the CPU is filled without a copy, in any dtype and with any strides. One on another device is made on
    the CPU, then copied. Every rank makes its own shard of a DTensor and nothing else, without communication, also
    under FSDP2 and tensor parallelism. Parameters that require gradients need no `no_grad`, and autograd learns that
    they have changed. Everything is checked before anything is filled.

    The values depend on the initializer, the seed, the shape and the dtype, and in a module on each parameter's name.
    They do not depend on the order of the parameters or on the mesh. Names are those of `named_parameters`, without the
    parts that `torch.compile`, activation checkpointing and DDP add. A parameter of several names goes by the first.

    In a module, an initializer fills the weights: parameters of two dimensions or more. All else gets what torch.nn's
    class gives it, such as ones, zeros, 0.25 or a uniform law, drawn from the same seed. The statistics of batch norms
    begin anew, and the row of an embedding's `padding_idx` is zero. Nothing is guessed: in a class that is not
    torch.nn's, what its name does not tell to be a weight, such as a vector or a table of positions, is an error that
    names it, and so is a buffer that nobody has written since `to_empty`.

    PyTorch's weights are (out, in, *kernel). An initializer with the default axes gets `in_axis=1, out_axis=0` here, so
    that its fans are those of `torch.nn.init`; a vector keeps (n, n). Modules know more: transposed convolutions are
    (in, out, *kernel), a group's channels are connected with each other only, and the blocks of `in_proj_weight` and of
    recurrent gates have the fans of one block. Axes and fans that you give stay. A model's initializers stay as they
    are, because a model makes the same values everywhere; `Model(module)` has the same fans.

    Args:
        target: A tensor, a parameter, a DTensor or a module. If it was made on the meta device, `to_empty` comes first.
        init_or_model: An initializer, of which each weight of a module gets `init.fold_in(name)`; or a
            `varscale.Model`, whose values go to the parameters, and to the buffers that it has, by name. A tensor also
            takes a lazy tensor.
        seed: The seed that replaces the initializer's own; None keeps that. With a model, the model's seed. A replay
            draws one tensor, and is refused for a module.
        names: Shell patterns of the parameters and buffers to fill, such as "head.*" or the missing keys of a
            checkpoint; None for all. They get the values that they would get among all.
        keep: Shell patterns of the parameters and buffers that stay as they are.
        everything: Whether an initializer fills all parameters alike, biases and norms too, as one fills a tensor.

    Returns:
        `target`.

    Raises:
        TypeError: An argument is of the wrong kind, or a tensor is not strided.
        ValueError: A tensor is on the meta device, or is a temporary of a parametrized layer; no law is known for a
            parameter or a buffer; a pattern matches nothing; the model lacks a parameter, or has it in another shape or
            dtype; a DTensor has no seed, so that each rank would draw from a different tensor; or the initializer
            refuses the call.

    Example:
        >>> import torch, varscale as vs
        >>> layer = vs.torch.init_(torch.nn.Linear(784, 256), vs.lecun_normal(seed=7))
        >>> weight = vs.lecun_normal(seed=7, in_axis=1, out_axis=0).fold_in("weight")((256, 784))
        >>> bool((layer.weight.detach().numpy() == weight).all())
        True
    """
    check_not_kept("init_")
    if isinstance(target, torch.nn.Module):
        fills = _of_module(target, init_or_model, seed, names, keep, everything)
    elif not isinstance(target, torch.Tensor):
        msg = f"`target` must be a tensor or a module, got {show(target)}"
        raise TypeError(msg)
    elif names is not None or keep != () or everything:
        msg = "`names`, `keep` and `everything` are for modules: a tensor has no names"
        raise TypeError(msg)
    else:
        fills = [filling("`target`", target, lambda: _of_tensor(target, init_or_model, seed))]
    with torch.no_grad():
        run(fills)
    return target


def _of_tensor(target: torch.Tensor, init: Any, seed: Any) -> Lazy:
    """The lazy tensor that one tensor is to hold."""
    if isinstance(init, Lazy):
        if seed is not None:
            msg = f"`seed` must be None for a lazy tensor, whose values are fixed, got {show(seed)}"
            raise ValueError(msg)
        return lazy_tensor(init, target.shape, target.dtype)
    if isinstance(init, Model):
        msg = "`target` must be a module for a model: a tensor has no name"
        raise TypeError(msg)
    changed = Changed(check_initializer(init, "init_or_model"), seed)
    return _lazy(target, changed.by(_ALONE, target.ndim))


def _of_module(
    module: torch.nn.Module, init_or_model: Any, seed: Any, names: Any, keep: Any, everything: bool
) -> list[Filling]:
    """The fills of a module's tensors."""
    # Both wrap the module under the name "module", which must not count for the names of parameters.
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        module = module.module
    tensors = tensors_of(module, names, keep)
    # First the memory: a parameter without it may have no shape to choose a law by. Buffers may be of any layout.
    for named in tensors:
        if named.is_parameter or not has_memory(named.tensor):
            check_memory(named, named.tensor)
    makers = _of_buffers(tensors, statistics_of(module))
    if isinstance(init_or_model, Model):
        if everything:
            msg = "`everything` must be False for a model, which says itself what it fills"
            raise ValueError(msg)
        makers |= _of_model(tensors, init_or_model, seed)
    elif isinstance(init_or_model, Lazy):
        msg = "`target` must be a tensor for a lazy tensor, which is one"
        raise TypeError(msg)
    else:
        init = check_initializer(init_or_model, "init_or_model", "a `varscale.Model`")
        parse_native(getattr(init, "seed", None) if seed is None else seed)
        rules = (lambda named: _ALONE) if everything else rules_of(module)
        makers |= _of_initializer(tensors, init, seed, rules)
    unfilled = [n for n in tensors if not n.is_parameter and n.name not in makers and not is_written(n.tensor)]
    if unfilled:
        msg = (
            f"`target` must have no buffer that nobody fills, has {_names(unfilled)}: after `to_empty` it holds what "
            "memory held. Give a model that has it, write into it first, or name it in `keep` if it is right"
        )
        raise ValueError(msg)
    return [
        filling(named, named.tensor, partial(_labelled, named, makers[named.name]))
        for named in tensors
        if named.name in makers
    ]


def _of_buffers(tensors: list[Named], known: dict[str, Builtin]) -> Makers:
    """Those of the buffers that torch.nn's classes have."""
    return {
        named.name: partial(_lazy, named.tensor, known[named.name])
        for named in tensors
        if not named.is_parameter and named.name in known
    }


def _of_model(tensors: list[Named], model: Model, seed: Any) -> Makers:
    """Those of the tensors that a model has."""
    # The first of its names that the model has; a buffer may have none.
    chosen = {named.name: name for named in tensors for name in named.names[::-1] if name in model}

    def tied(lacking: list[str]) -> str:
        first = tied_names(model)
        name = next((name for name in lacking if name in first), None)
        if name is None:
            return ""
        return f": {show(name)} is tied to {show(first[name])} in the model, so tie it again after `to_empty`"

    check_covers(chosen, (named.name for named in tensors if named.is_parameter), "parameter of the module", tied)
    lazies = model.lazy(seed, chosen.values())
    for named in tensors:
        if named.name in chosen and is_sharded(named.tensor):
            check_repeats(lazies[chosen[named.name]].initializer)
    return {name: partial(lazies.__getitem__, known) for name, known in chosen.items()}


def _of_initializer(tensors: list[Named], init: Builtin, seed: Any, rules_for: Callable[[Named], list[Rule]]) -> Makers:
    """Those of the parameters."""
    makers: Makers = {}
    unknown = []
    changed = Changed(init, seed)
    for named in tensors:
        if not named.is_parameter:
            continue
        rules = rules_for(named)
        if not rules:
            unknown.append(named)
        makers[named.name] = partial(_lazy_of_parameter, named, changed, rules)
    if unknown:
        msg = (
            f"`target` must be of torch.nn's own classes where a parameter is no weight, has {_names(unknown)}: give "
            "a model that says what it starts from, such as `varscale.torch.model_of(factory)`, name it in `keep`, or "
            "fill all alike with `everything=True`"
        )
        raise ValueError(msg)
    return makers


class Changed:
    """What rules make of one initializer with one seed. Layers that are alike share it, and the plans of its laws."""

    def __init__(self, init: Builtin, seed: Any) -> None:
        self._init, self._seed = init, seed
        self._found: dict[tuple[int, ...], tuple[Builtin, list[Rule]]] = {}
        """By rank, and by the identities of the rules, which are kept so that no other has the same."""

    def by(self, rules: list[Rule], rank: int) -> Builtin:
        """The initializer of a parameter of this rank."""
        key = rank, *map(id, rules)
        if key not in self._found:
            self._found[key] = self._made(rules, rank), rules
        return self._found[key][0]

    def _made(self, rules: list[Rule], rank: int) -> Builtin:
        def ruled(init: Builtin) -> Builtin:
            for rule in rules:
                init = rule(init, rank)
            return init

        init = self._init._changed(ruled)
        return init if self._seed is None else init._with_seed(self._seed)


def _lazy_of_parameter(named: Named, changed: Changed, rules: list[Rule]) -> Lazy:
    return _lazy(named.tensor, changed.by(rules, named.tensor.ndim).fold_in(named.name))


def _lazy(tensor: torch.Tensor, init: Builtin) -> Lazy:
    """The lazy tensor of an initializer that has the tensor's shape and dtype."""
    if is_sharded(tensor):
        check_repeats(init)
    # In plain words, which take a fifth of the time that torch's own take to be understood.
    return init.lazy(tuple(tensor.shape), dtype_name(tensor.dtype))


def _labelled(label: Label, make: Callable[[], Lazy]) -> Lazy:
    """What `make` returns; its errors say which tensor they are of."""
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise type(error)(f"{label}: {error}") from error


def _names(tensors: list[Named]) -> str:
    return listed(named.name for named in tensors)
