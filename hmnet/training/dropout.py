"""Dropout from cheap random numbers, for training on a CPU.

Torch draws one number after the other for every element there, which takes a fifth of a training
step of a small encoder in bf16. One draw of 64 bits decides about four elements just as well.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, no_type_check

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from torch.overrides import TorchFunctionMode

LEVELS = 2**16


def fast_dropout(device: torch.device) -> AbstractContextManager[Any]:
    """The context that forward passes of training run in.

    Args:
        device: Device that they run on. Off the CPU torch's own dropout is fast, and the context
            does nothing.

    Returns:
        A context in which `torch.nn.functional.dropout`, modules that call it, and dropout within
        `scaled_dot_product_attention` use `dropout` below.
    """
    return _FastDropout() if device.type == "cpu" else nullcontext()


def dropout(values: Tensor, p: float) -> Tensor:
    """Set elements to zero at random and scale the others up, so that the mean stays.

    Args:
        values: Numbers of any shape and floating type, on the CPU.
        p: Share of zeros in [0, 1], taken to the nearest 1 / 65,536.

    Returns:
        The same shape and type. Random numbers come from torch's default generator.

    Source:
        Srivastava et al. (2014), section 4, in its inverted form.
    """
    zeros = round(p * LEVELS)
    if zeros == LEVELS:
        return values * 0
    bits = torch.empty(math.ceil(values.numel() / 4), dtype=torch.int64).random_(-(2**63), None)
    levels = bits.view(torch.int16)[: values.numel()].view(values.shape)
    kept = (levels >= zeros - LEVELS // 2).to(values.dtype)
    return values * kept.mul_(LEVELS / (LEVELS - zeros))


class _Attention(NamedTuple):
    """A call of `scaled_dot_product_attention`, by the names of its parameters."""

    query: Tensor
    key: Tensor
    value: Tensor
    attn_mask: Tensor | None = None
    dropout_p: float = 0.0
    is_causal: bool = False
    scale: float | None = None
    enable_gqa: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether `attend` can answer it; torch does the others."""
        return self.dropout_p > 0 and not self.is_causal and not self.enable_gqa

    def attend(self) -> Tensor:
        """The answer, in autocast's type throughout, else in the query's.

        A query whose keys are all masked, as padding has in local attention, sees the mean value.
        """
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None
        query, key, value = (
            tensor.to(dtype or self.query.dtype) for tensor in (self.query, self.key, self.value)
        )
        scale = query.shape[-1] ** -0.5 if self.scale is None else self.scale
        with torch.autocast("cpu", enabled=False):
            scores = (query * scale) @ key.transpose(-2, -1)
            if self.attn_mask is not None:
                scores = _masked(scores, self.attn_mask)
            return dropout(scores.softmax(-1), self.dropout_p) @ value


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores + mask.to(scores.dtype)


class _FastDropout(TorchFunctionMode):
    """Answers calls of dropout and attention; all others go through."""

    @no_type_check  # it stands before every operation of a step, and the checks of tests add up
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func is F.dropout:
            return _dropout(*args, **named)
        if func is F.scaled_dot_product_attention:
            call = _Attention(*args, **named)
            if call.is_plain:
                return call.attend()
        return func(*args, **named)


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:  # noqa: A002  torch's names
    if not training or p == 0:
        return input
    dropped = dropout(input, p)
    return input.copy_(dropped) if inplace else dropped
