"""CA-MTL's modules against their definitions, one number at a time."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from hmnet.inserts._conditional import (
    SHORTEST_LENGTH,
    BottleneckNorm,
    BottleneckSkip,
    Carried,
    ConditionalAlignment,
    ConditionalAttention,
    ConditionalBottleneck,
    ConditionalNorm,
    FiLM,
    Variant,
)
from hmnet.settings.config import TrainingSettings
from relevance.errors import RelevanceError

WIDTH, LENGTH = 12, 4
both_variants = pytest.mark.parametrize("variant", ["paper", "released"])


class Calls(nn.Module):
    """A function in the place of a pretrained module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.forward = function


def shaken(module: nn.Module) -> nn.Module:
    """No parameter is at its start any more."""
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module.requires_grad_(requires_grad=False)


def by_hand(film: FiLM, z: Tensor) -> tuple[list[float], list[float]]:
    """γ and β of a film, one sum at a time."""
    weight, bias = film.linear.weight.tolist(), film.linear.bias.tolist()
    values = [
        offset + sum(w * x for w, x in zip(row, z.tolist(), strict=True))
        for row, offset in zip(weight, bias, strict=True)
    ]
    half = len(values) // 2
    return values[:half], values[half:]


def bottleneck(variant: Variant) -> ConditionalBottleneck:
    made = ConditionalBottleneck(WIDTH, variant=variant, activation=nn.GELU(), deviation=0.02)
    shaken(made)
    return made


@pytest.mark.parametrize(("width", "max_length"), [(12, 4), (12, 6), (21, 7), (40, 13), (40, 9)])
@both_variants
def test_the_attention_bias_is_a_row_of_blocks(
    variant: Variant, width: int, max_length: int
) -> None:
    module = ConditionalAttention(width, max_length, variant=variant)
    shaken(module)
    z = torch.randn(width)
    gamma, beta = by_hand(module.film, z)
    side = math.ceil(max_length / (width // max_length))
    expected = torch.zeros(max_length, max_length)
    for i in range(max_length):
        for j in range(max_length):
            if i // side == j // side:
                a = module.blocks[i // side, i % side, j % side].item()
                place = j % side if variant == "released" else (i % side) * side + j % side
                expected[i, j] = a * (1 + gamma[place]) + beta[place]
    for length in range(1, max_length + 1):
        torch.testing.assert_close(module.bias(z, length), expected[:length, :length])
    assert len(module.blocks) == math.ceil(max_length / side)


@both_variants
def test_a_full_block_has_no_zeros(variant: Variant) -> None:
    module = ConditionalAttention(8, 30, variant=variant, full_block=True)
    shaken(module)
    assert (module.bias(torch.randn(8), 30) != 0).all()
    assert module.blocks.shape == (1, 30, 30)
    assert module.film.linear.out_features == 2 * (30 if variant == "released" else 900)


@pytest.mark.parametrize(
    "mask",
    [
        None,
        torch.tensor([[1, 1, 1], [1, 1, 0]]).bool()[:, None, None],
        torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -1e9]])[:, None, None],
    ],
)
def test_the_bias_is_added_to_every_heads_scores(mask: Tensor | None) -> None:
    module = ConditionalAttention(WIDTH, LENGTH, variant="paper")
    shaken(module)
    z, hidden = torch.randn(WIDTH), torch.randn(2, 3, WIDTH)
    scores = torch.randn(2, 5, 3, 3)

    def attention(states: Tensor, attention_mask: Tensor, *, kept: int) -> Tensor:
        assert states is hidden
        assert kept == 7
        return (scores + attention_mask).softmax(-1)

    expected = scores + module.bias(z, 3)
    if mask is not None:
        seen = mask if mask.dtype == torch.bool else mask == 0
        expected = expected.masked_fill(~seen, -math.inf)
    found = module(z, Calls(attention), hidden, attention_mask=mask, kept=7)
    torch.testing.assert_close(found, expected.softmax(-1))


def test_an_input_longer_than_the_bias_is_one_line() -> None:
    module = ConditionalAttention(WIDTH, LENGTH, variant="paper")
    with pytest.raises(RelevanceError) as error:
        module.bias(torch.zeros(WIDTH), 5)
    assert str(error.value) == (
        "The input has 5 tokens, but this model's conditional attention was made for 4."
        " Cut it, or train with a larger `max_length`."
    )


def test_too_few_blocks_are_one_line() -> None:
    with pytest.raises(RelevanceError) as error:
        ConditionalAttention(384, 200, variant="paper")
    assert str(error.value) == (
        "Conditional attention splits `max_length=200` into 384 // 200 = 1 blocks and needs two."
        " Choose `max_length=192` at most, or `method='camtl:attention=full-block'`."
    )


def test_a_length_that_no_run_takes_is_not_advised() -> None:
    assert TrainingSettings(max_length=SHORTEST_LENGTH)
    with pytest.raises(ValidationError):
        TrainingSettings(max_length=SHORTEST_LENGTH - 1)
    with pytest.raises(RelevanceError) as error:
        ConditionalAttention(15, 8, variant="paper")
    assert str(error.value).endswith(
        " Choose a backbone 16 wide or wider, or `method='camtl:attention=full-block'`."
    )
    with pytest.raises(RelevanceError, match="Choose `max_length=8` at most, or `method="):
        ConditionalAttention(16, 9, variant="paper")


@both_variants
def test_alignment(variant: Variant) -> None:
    module = ConditionalAlignment(WIDTH, variant=variant)
    shaken(module)
    z, hidden = torch.randn(WIDTH), torch.randn(2, 3, WIDTH)
    gamma, beta = by_hand(module.film, z)
    r = torch.eye(WIDTH) + (0 if module.offset is None else module.offset)
    expected = torch.empty_like(hidden)
    for place in range(WIDTH):
        product = (hidden * r[:, place]).sum(-1)
        expected[..., place] = product * (1 + gamma[place]) + beta[place]
    layer = Calls(lambda *inputs, kept: (*inputs, kept))
    found, passed, kept = module(z, layer, hidden, "mask", kept=7)
    torch.testing.assert_close(found, expected)
    assert (passed, kept) == ("mask", 7)
    assert (module.offset is None) == (variant == "released")


@both_variants
def test_norm(variant: Variant) -> None:
    module = ConditionalNorm(WIDTH, variant=variant)
    norm = nn.LayerNorm(WIDTH, eps=1e-3)
    shaken(module), shaken(norm)
    z, hidden = torch.randn(WIDTH), torch.randn(2, 3, WIDTH)
    first, second = by_hand(module.film, z)
    gamma, beta = (first, second) if variant == "paper" else (first + second, [0.0] * WIDTH)
    mean = hidden.mean(-1, keepdim=True)
    variance = ((hidden - mean) ** 2).mean(-1, keepdim=True)
    normal = (hidden - mean) / (variance + 1e-3).sqrt()
    scale = norm.weight * (1 + torch.tensor(gamma))
    expected = normal * scale + norm.bias + torch.tensor(beta)
    torch.testing.assert_close(module(z, norm, hidden), expected)
    assert module.film.linear.out_features == WIDTH * (2 if variant == "paper" else 1)


@both_variants
def test_bottleneck(variant: Variant) -> None:
    module = bottleneck(variant)
    z, hidden = torch.randn(WIDTH), torch.randn(3, WIDTH)
    films = [tuple(map(torch.tensor, by_hand(film, z))) for film in module.films]
    down, up = module.down, module.up
    assert down.weight.shape == (4, WIDTH)
    (gamma, beta), *rest = films
    if variant == "released":
        inner = (hidden * (1 + gamma) + beta) @ down.weight.T + down.bias
        expected = inner @ up.weight.T + up.bias
    else:
        inner = (hidden @ down.weight.T + down.bias) * (1 + gamma) + beta
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        ((gamma, beta),) = rest
        expected = (inner @ up.weight.T + up.bias) * (1 + gamma) + beta
    torch.testing.assert_close(module(z, hidden), expected)


def test_base_wiring_has_the_bottleneck_in_the_norm() -> None:
    inner, norm = bottleneck("paper"), nn.LayerNorm(WIDTH)
    shaken(norm)
    z, hidden = torch.randn(WIDTH), torch.randn(3, WIDTH)
    expected = norm(hidden + inner(z, norm(hidden)))
    torch.testing.assert_close(BottleneckNorm(inner)(z, norm, hidden), expected)


def test_large_wiring_is_one_skip_connection_along_all_layers() -> None:
    layers = [nn.Linear(WIDTH, WIDTH) for _ in range(3)]
    inner = [bottleneck("released") for _ in layers]
    z, hidden = torch.randn(WIDTH), torch.randn(2, 3, WIDTH)
    h, s = hidden, torch.zeros_like(hidden)
    carried: Carried | Tensor = hidden
    for number, (layer, part) in enumerate(zip(layers, inner, strict=True)):
        h = layer(h)
        s = s + part(z, h + s)
        carried = BottleneckSkip(part, last=number == 2)(z, layer, carried)
        if number < 2:
            assert isinstance(carried, Carried)
            torch.testing.assert_close(carried.hidden, h)
            torch.testing.assert_close(carried.skip, s)
    torch.testing.assert_close(carried, h + s)


def test_film_is_not_rounded_under_autocast() -> None:
    film = FiLM(WIDTH, WIDTH)
    shaken(film)
    z = torch.randn(WIDTH)
    plain = film(z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert all(map(torch.equal, film(z), plain))
