"""Cosines of attention maps: slowly by hand, for one changed head, and what cannot be compared."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hmnet.analysis.attention_maps import attention_maps, eager_encoder, map_cosines
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from toys import toy

TASKS = [toy(name, family="sentiment", labels=("bad", "good")) for name in ("TONE", "MOOD")]
INPUTS = {
    "input_ids": torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
}


def make_model(backbone: Path) -> MultiTaskModel:
    plan = fully_shared([task.name for task in TASKS], 4)
    return MultiTaskModel.from_backbone(str(backbone), TASKS, plan)


def maps_of(model: MultiTaskModel, task: str = "TONE") -> list[Tensor]:
    return attention_maps(eager_encoder(model, task), INPUTS)


def test_a_slow_oracle_gives_the_same() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (
        [torch.rand(3, 2, 5, 5, generator=generator) for _ in range(4)] for _ in range(2)
    )
    lengths = [5, 3, 1]
    mask = torch.tensor([[1] * length + [0] * (5 - length) for length in lengths])

    cosines = map_cosines(first, second, mask)

    assert cosines.shape == (3, 4, 2)
    for row, layer, head in np.ndindex(cosines.shape):
        dot = one = other = 0.0
        for query in range(lengths[row]):
            for key in range(lengths[row]):
                a = float(first[layer][row, head, query, key])
                b = float(second[layer][row, head, query, key])
                dot, one, other = dot + a * b, one + a * a, other + b * b
        assert cosines[row, layer, head] == pytest.approx(dot / (one * other) ** 0.5)


def test_maps_are_shares_that_padding_has_no_part_in(tiny_backbones: dict[str, Path]) -> None:
    for name in ("bert", "roberta", "distilbert", "modernbert"):
        maps = maps_of(make_model(tiny_backbones[name]))
        assert len(maps) == 4
        for each in maps:
            torch.testing.assert_close(each.sum(dim=-1), torch.ones_like(each[..., 0]))
            assert (each[1, :, :3, 3:] == 0).all()


def test_the_same_model_attends_alike_however_often_it_is_asked(tiny_bert: Path) -> None:
    model = make_model(tiny_bert)
    for _ in range(2):
        for task in ("TONE", "MOOD"):
            cosines = map_cosines(maps_of(model), maps_of(model, task), INPUTS["attention_mask"])
            np.testing.assert_allclose(cosines, 1.0, rtol=1e-12)
    assert model("TONE", INPUTS).shape == (2, 2)


def test_a_changed_head_differs_and_no_other_of_its_layer(tiny_bert: Path) -> None:
    model, changed = make_model(tiny_bert), make_model(tiny_bert)
    layer = 3  # the last, so that no other layer reads what the head says
    query = changed.get_submodule(f"pool.shared/{layer}.attention.self.query")
    width = model.config.hidden_size // model.config.num_attention_heads
    with torch.no_grad():
        query.weight[:width] += 5 * torch.randn(width, model.config.hidden_size)

    cosines = map_cosines(maps_of(model), maps_of(changed), INPUTS["attention_mask"])

    differs = (cosines < 1 - 1e-6).any(axis=0)
    assert np.argwhere(differs).tolist() == [[layer, 0]]


def test_other_layers_or_heads_are_refused() -> None:
    maps = [torch.rand(1, 2, 3, 3)] * 4
    with pytest.raises(RelevanceError) as error:
        map_cosines(maps, maps[:3], torch.ones(1, 3, dtype=torch.int64))
    assert str(error.value) == (
        "The first run has 4 layers of 2 heads, the second 3 of 2. Compare runs of one backbone."
    )


def test_an_encoder_that_does_not_tell(tiny_bert: Path) -> None:
    encoder = eager_encoder(make_model(tiny_bert), "TONE")
    encoder.set_attn_implementation("sdpa")
    with pytest.raises(RelevanceError, match=r"^BertModel tells .* of 0 of its 4 layers"):
        attention_maps(encoder, INPUTS)
