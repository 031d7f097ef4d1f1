"""Updates of some rows of a table against torch's AdamW over all of it."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hmnet.training import row_updates
from hmnet.training.row_updates import RowAdamW, gradients_by_row

WORDS, WIDTH = 12, 3


def trained(kind: Any, steps: list[list[int]], decay: float, *, sparse: bool) -> list[torch.Tensor]:
    """Weights and moments after steps in which these words were read."""
    torch.manual_seed(0)
    table = nn.Embedding(WORDS, WIDTH, padding_idx=0, sparse=sparse)
    aim = torch.randn(WORDS, WIDTH)
    settings = {} if kind is RowAdamW else {"fused": True}
    optimizer = kind([{"params": [table.weight], "weight_decay": decay}], lr=0.1, **settings)
    for number, words in enumerate(steps):
        optimizer.param_groups[0]["lr"] = 0.1 / (number + 1)
        optimizer.zero_grad(set_to_none=True)
        read = torch.tensor(words)
        for _ in range(2):  # two batches of one step: their gradients add up
            ((table(read) - aim[read]) ** 2).sum().backward()
        optimizer.step()
    state = optimizer.state[table.weight]
    return [table.weight.detach(), state["exp_avg"], state["exp_avg_sq"], state["step"]]


@given(
    st.lists(st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=6), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.3]),
)
def test_rows_alone_give_what_the_whole_gradient_gives(
    steps: list[list[int]], decay: float
) -> None:
    by_row = trained(RowAdamW, steps, decay, sparse=True)
    whole = trained(torch.optim.AdamW, steps, decay, sparse=False)
    for found, wanted in zip(by_row, whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)


def test_a_checkpoint_says_which_rows_have_moved() -> None:
    table = nn.Embedding(WORDS, WIDTH, sparse=True)
    first = RowAdamW([table.weight], lr=0.1)
    table(torch.tensor([1])).sum().backward()
    first.step()
    second = RowAdamW([table.weight], lr=0.1)
    second.state[table.weight] = first.state[table.weight]
    before = table.weight.detach().clone()
    second.zero_grad()
    table(torch.tensor([2])).sum().backward()
    second.step()
    moved = (table.weight.detach() * (1 / (1 - 0.1 * 0.01)) - before).abs().amax(1) > 1e-3
    assert moved.nonzero().flatten().tolist() == [1, 2], "word 1 has momentum"


class Tied(nn.Module):
    """A decoder that uses the table of words, and a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(row_updates.LEAST_ROWS, 2)
        self.decoder = nn.Linear(2, row_updates.LEAST_ROWS)
        self.decoder.weight = self.words.weight
        self.own = nn.Embedding(row_updates.LEAST_ROWS, 2)
        self.small = nn.Embedding(row_updates.LEAST_ROWS - 1, 2)
        self.frozen = nn.Embedding(row_updates.LEAST_ROWS, 2).requires_grad_(False)


def test_only_large_tables_of_one_user_that_are_trained() -> None:
    model = Tied()
    with gradients_by_row(model, RowAdamW(model.parameters())):
        assert [name for name, m in model.named_modules() if getattr(m, "sparse", 0)] == ["own"]
    assert not model.own.sparse
    with gradients_by_row(model, torch.optim.AdamW(model.parameters())):
        assert not model.own.sparse


@pytest.mark.parametrize("clip_norm", [None, 1e9])
def test_a_run_is_the_same_as_with_whole_gradients(
    world: Any, monkeypatch: pytest.MonkeyPatch, clip_norm: float | None
) -> None:
    """With clipping, which needs whole gradients, none is made by row."""
    settings = world.settings.model_copy(update={"clip_norm": clip_norm})
    by_row = []
    update = RowAdamW._update

    def counted(*args: Any) -> None:
        by_row.append(args)
        update(*args)

    monkeypatch.setattr(RowAdamW, "_update", counted)
    whole = world.fit(settings=settings).state_dict()
    assert not by_row, "the table of a tiny encoder is small"
    monkeypatch.setattr(row_updates, "LEAST_ROWS", 1)
    rows = world.fit(settings=settings).state_dict()
    assert bool(by_row) == (clip_norm is None)
    for name, value in whole.items():
        if not name.endswith("key.bias"):  # its gradient is 0 but for rounding
            torch.testing.assert_close(rows[name], value, rtol=1e-3, atol=1e-5, msg=name)
