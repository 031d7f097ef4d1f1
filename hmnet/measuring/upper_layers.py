"""Training of upper layers alone: a model reads the outputs of its lower ones."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.measuring.lower_states import LowerStates, described, encoder_of, keys_of
from hmnet.models.multitask import MultiTaskModel


@contextmanager
def answered_from(
    model: MultiTaskModel, states: Sequence[LowerStates], frozen: int
) -> Iterator[None]:
    """Let a model whose lower layers are frozen read their outputs instead of running them.

    Dropout is off in what is not run, and in embeddings and the like, whose output nobody sees.

    Args:
        model: A model whose tasks share all layers and read the top.
        states: States of all sequences that the model is asked about.
        frozen: Number of layers that are not run, the lowest ones.

    Yields:
        Nothing.

    Raises:
        RuntimeError: If the model is asked about another sequence.
    """
    task = model.tasks[0]
    layers, asked = model.layers(task), dict[str, Tensor]()
    below = [*layers[:frozen], *_beside_layers(model, task)]

    def remember(_: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        asked.clear()
        asked.update({name: value for name, value in named.items() if isinstance(value, Tensor)})
        if given:
            asked["input_ids"] = given[0]

    def put_in(
        _: nn.Module, given: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        shown = given[0] if given else named["hidden_states"]
        hidden = _look_up(states, asked, shown)
        return ((hidden, *given[1:]), named) if given else ((), {**named, "hidden_states": hidden})

    handles = [
        encoder_of(model, name).register_forward_pre_hook(remember, with_kwargs=True)
        for name in model.tasks
    ]
    handles.append(layers[frozen].register_forward_pre_hook(put_in, with_kwargs=True))
    was_training = model.training
    for module in below:
        module.eval()
        module.train = _stay(module)  # type: ignore[method-assign]
    for layer in layers[:frozen]:
        layer.forward = _passing_on(layer.forward)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer in layers[:frozen]:
            del layer.forward
        for module in below:
            del module.train  # the class's own shows again
        model.train(was_training)


def _beside_layers(model: MultiTaskModel, task: str) -> list[nn.Module]:
    """What an encoder runs before its layers, such as embeddings, and among them.

    DeBERTa has a convolution behind its first layer.
    """
    outside = model.module(model.plan.outside[task])
    first, *rest = model.layer_list.split(".")
    children = dict(outside.named_children())
    names = list(children)
    found = [children[name] for name in names[: names.index(first)]]
    for name in rest:
        inner = dict(children[first].named_children())
        found += [child for other, child in inner.items() if other != name]
        children, first = inner, name
    return found


def _stay(module: nn.Module) -> Any:
    """A `train` that leaves a module in the mode that it is in."""

    def train(mode: bool = True) -> nn.Module:  # noqa: ARG001  the signature of torch
        return module

    return train


def _passing_on(forward: Any) -> Any:
    """A layer that gives what it is given, in the form in which its own forward gives it."""
    rest: tuple[Any, ...] | None = None
    alone = False

    def passed(*given: Any, **named: Any) -> Any:
        nonlocal rest, alone
        hidden = given[0] if given else named["hidden_states"]
        if rest is None:  # run once, to see the form
            with torch.no_grad():
                answer = forward(*given, **named)
            alone = isinstance(answer, Tensor)
            rest = () if alone else tuple(answer[1:])
        return hidden if alone else (hidden, *rest)

    return passed


def _look_up(
    states: Sequence[LowerStates], asked: Mapping[str, Tensor], shown: Tensor
) -> Float[Tensor, "row token width"]:
    """States of the sequences of a batch, zeros for padding, in the place of what was shown."""
    hidden = np.zeros(tuple(shown.shape), dtype=np.float32)
    for row, key in enumerate(keys_of(*described(asked))):
        found = next((own for each in states if (own := each.find(key)) is not None), None)
        if found is None:
            raise RuntimeError("The model is asked about a sequence that has no states.")
        hidden[row, : len(found)] = found
    return torch.from_numpy(hidden).to(shown.device)
