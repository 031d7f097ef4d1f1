"""Word vectors that no batch has read yet stand still, so that a step need not go over them.

A vocabulary has tens of thousands of rows, and the texts of a task have a few thousand of them. The
gradient of all others is 0 and so are both of Adam's moments, hence an update only decays them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

LEAST_ROWS = 4096  # of a table: a smaller one costs less than what is saved


@contextmanager
def gradients_by_row(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Within, large tables of word vectors get gradients of the rows that were read alone.

    Args:
        model: Model on the device that it trains on. Tables that another module uses too, as a
            decoder tied to the word vectors does, get whole gradients as ever; so do all tables
            off the CPU.
        optimizer: Optimizer of the model's weights; only with a `RowAdamW` anything changes.
    """
    chosen = _tables(model) if isinstance(optimizer, RowAdamW) else []
    for table in chosen:
        table.sparse = True
    try:
        yield
    finally:
        for table in chosen:
            table.sparse = False


class RowAdamW(torch.optim.AdamW):
    """AdamW, fused, that also takes gradients of some rows of a matrix, as sparse tensors.

    Weights and moments after any step are those that the whole gradient gives, rounding of the
    sums over equal words aside: rows that have had a gradient are updated at every step from
    then on, those that never had one are decayed.
    """

    def __init__(self, groups: Any, **settings: Any) -> None:
        super().__init__(groups, fused=True, **settings)
        self._seen: dict[Tensor, Tensor] = {}

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update all weights that have a gradient, once.

        Args:
            closure: Evaluates the loss again, as in torch; its gradients are whole.

        Returns:
            What the closure gives.
        """
        by_row = []
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None and weight.grad.is_sparse:
                    by_row.append((weight, weight.grad, group))
                    weight.grad = None
        loss = super().step(closure)
        for weight, gradient, group in by_row:
            self._update(weight, gradient.coalesce(), group)
        return loss

    def _update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        tables = [weight, state["exp_avg"], state["exp_avg_sq"]]
        seen = self._seen.get(weight)
        if seen is None:  # also when training goes on from a checkpoint, which has the moments
            seen = self._seen[weight] = _moved(tables[1]) | _moved(tables[2])
        (read,) = gradient.indices()
        seen[read] = True
        rows = seen.nonzero().squeeze(1)
        if 2 * len(rows) > len(seen):  # taking them out and putting them back would cost more
            _adamw(tables, gradient.to_dense(), state["step"], group)
            return
        of_rows = weight.new_zeros(len(rows), weight.shape[1])
        of_rows[torch.searchsorted(rows, read)] = gradient.values()
        parts = [table[rows] for table in tables]
        _adamw(parts, of_rows, state["step"], group)
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        for table, part in zip(tables, parts, strict=True):
            table[rows] = part


def _adamw(tables: list[Tensor], gradient: Tensor, step: Tensor, group: dict[str, Any]) -> None:
    """Update weights and both of their moments in place."""
    weight, first, second = tables
    beta1, beta2 = group["betas"]
    adamw(
        [weight],
        [gradient],
        [first],
        [second],
        [],
        [step],
        fused=True,
        amsgrad=False,
        beta1=beta1,
        beta2=beta2,
        lr=group["lr"],
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        maximize=False,
    )


def _moved(moments: Tensor) -> Tensor:
    """Which rows have any number other than 0."""
    return moments.count_nonzero(1) > 0


def _tables(model: nn.Module) -> list[nn.Embedding]:
    users: dict[int, int] = {}
    for module in model.modules():
        for weight in module.parameters(recurse=False):
            users[id(weight)] = users.get(id(weight), 0) + 1
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        and module.weight.requires_grad
        and module.weight.device.type == "cpu"
        and module.num_embeddings >= LEAST_ROWS
        and users[id(module.weight)] == 1
    ]
