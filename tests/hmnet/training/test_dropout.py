"""Fast dropout: torch's in distribution, drawn more cheaply, wherever a model asks for it."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812

from hmnet.training.dropout import dropout, fast_dropout

CPU = torch.device("cpu")


@given(
    p=st.floats(0, 1),
    size=st.integers(0, 9),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
)
def test_an_element_is_zero_or_scaled_by_one_over_the_share_kept(
    p: float, size: int, dtype: torch.dtype
) -> None:
    values = torch.arange(1, 3 * size + 1, dtype=dtype).view(3, size)
    dropped = dropout(values, p)
    assert (dropped.shape, dropped.dtype) == (values.shape, values.dtype)
    nearest = round(p * 65536) / 65536
    kept = dropped != 0
    if nearest == 1:
        assert not kept.any()
    else:
        scale = torch.tensor(1 / (1 - nearest), dtype=dtype)
        torch.testing.assert_close(dropped[kept], (values * scale)[kept])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_zeros_is_p_for_every_element_of_a_draw_and_between_them(p: float) -> None:
    """Four elements share a draw of 64 bits; each has its own 16, and they are independent."""
    torch.manual_seed(0)
    zeros = (dropout(torch.ones(100_000, 4), p) == 0).double()
    noise = (p * (1 - p) / 100_000) ** 0.5
    assert (zeros.mean(0) - p).abs().max() < 5 * noise
    together = (zeros.T @ zeros / 100_000)[~torch.eye(4, dtype=torch.bool)]
    assert (together - p * p).abs().max() < 5 * noise


def test_gradients_are_dropped_where_values_are() -> None:
    values = torch.ones(1000, requires_grad=True)
    dropped = dropout(values, 0.3)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())


def test_torchs_seed_decides() -> None:
    def drawn() -> torch.Tensor:
        torch.manual_seed(3)
        return dropout(torch.ones(99), 0.5)

    assert torch.equal(drawn(), drawn())
    assert not torch.equal(drawn(), dropout(torch.ones(99), 0.5))


def test_modules_and_functions_use_it_in_the_context_only() -> None:
    ones = torch.ones(50)
    ways = [nn.Dropout(0.4), lambda x: F.dropout(x, 0.4), lambda x: F.dropout(x, p=0.4)]
    for way in ways:
        for inside in (True, False):
            torch.manual_seed(0)
            expected = dropout(ones, 0.4)
            torch.manual_seed(0)
            with fast_dropout(CPU) if inside else nullcontext():
                assert torch.equal(way(ones), expected) is inside
    with fast_dropout(CPU):
        assert F.dropout(ones, 0.4, training=False) is ones
        assert nn.Dropout(0.4).eval()(ones) is ones
        assert nn.Dropout(0.0)(ones) is ones
        in_place = ones.clone()
        assert nn.Dropout(1.0, inplace=True)(in_place) is in_place
        assert not in_place.any()
    assert isinstance(fast_dropout(torch.device("cuda")), nullcontext)


def attention_mask(kind: str, padded: torch.Tensor) -> torch.Tensor | None:
    return {
        "none": None,
        "bool": padded,
        "float": torch.zeros(padded.shape).masked_fill(~padded, torch.finfo(torch.float32).min),
    }[kind]


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_is_torchs_but_for_what_is_dropped(
    kind: str, scale: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the dropping itself switched off, outputs and gradients agree with torch's."""
    monkeypatch.setattr("hmnet.training.dropout.dropout", lambda values, p: values)
    torch.manual_seed(0)
    inputs = [torch.randn(2, 3, 5, 4, requires_grad=True) for _ in range(3)]
    mask = attention_mask(
        kind, torch.ones(2, 1, 5, 5).bool().index_fill(3, torch.tensor([4]), False)
    )
    results = []
    for context, p in ((fast_dropout(CPU), 0.25), (nullcontext(), 0.0)):
        with context:
            out = F.scaled_dot_product_attention(*inputs, mask, dropout_p=p, scale=scale)
        results.append((out, *torch.autograd.grad(out.square().sum(), inputs)))
    for ours, torchs in zip(*results, strict=True):
        torch.testing.assert_close(ours, torchs)


def test_attention_drops_weights_as_torch_does_on_average() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 1, 6, 4) for _ in range(3))
    exact = F.scaled_dot_product_attention(query, key, value)
    with fast_dropout(CPU):
        draws = F.scaled_dot_product_attention(
            *(x.expand(4000, 1, 6, 4) for x in (query, key, value)), dropout_p=0.3
        )
    error = draws.std(0) / 4000**0.5
    assert ((draws.mean(0) - exact).abs() < 5 * error).all()
    assert draws.std(0).min() > 0.01


@pytest.mark.parametrize("extra", [{"is_causal": True}, {"enable_gqa": True}, {"dropout_p": 0.0}])
def test_attention_of_other_forms_is_left_to_torch(extra: dict[str, Any]) -> None:
    inputs = [torch.randn(1, 2, 5, 4) for _ in range(3)]
    arguments = {"dropout_p": 0.5} | extra
    torch.manual_seed(0)
    expected = F.scaled_dot_product_attention(*inputs, **arguments)
    torch.manual_seed(0)
    with fast_dropout(CPU):
        assert torch.equal(F.scaled_dot_product_attention(*inputs, **arguments), expected)


def test_under_autocast_everything_is_bf16() -> None:
    """Rotary embeddings leave query and key in fp32 beside a value in bf16."""
    query, key = (torch.randn(1, 2, 5, 4) for _ in range(2))
    with torch.autocast("cpu", dtype=torch.bfloat16), fast_dropout(CPU):
        out = F.scaled_dot_product_attention(query, key, query.bfloat16(), dropout_p=0.1)
    assert out.dtype == torch.bfloat16


def test_a_query_without_keys_stays_finite() -> None:
    inputs = [torch.randn(1, 1, 3, 4, requires_grad=True) for _ in range(3)]
    with fast_dropout(CPU):
        out = F.scaled_dot_product_attention(*inputs, torch.zeros(3, 3).bool(), dropout_p=0.1)
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all(tensor.isfinite().all() for tensor in (out, *gradients))
