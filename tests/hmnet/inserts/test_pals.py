"""Projected attention layers against their paper's equation, one head at a time."""

import math
from pathlib import Path

import pytest
import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.inserts.insert import Host
from hmnet.inserts.pals import Pals
from relevance.errors import RelevanceError


@pytest.mark.parametrize("masked", [False, True])
def test_a_layer_is_what_the_paper_says(tiny_bert: Path, masked: bool) -> None:
    """LN(h + SA(h) + TS(h)), with TS(h) = up(attention(down(h)))."""
    backbone = load_backbone(str(tiny_bert))
    made = Pals(Host(backbone, ["A", "B"], 8, 0), size=6, heads=2).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight))
    layer, hidden = backbone.copy_layer(2).eval(), torch.randn(2, 4, 16)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]]).bool()[:, None, None] if masked else None
    own = made.tasks["B"]
    maps = own.maps[2](own.down(hidden))
    heads = []
    for head in range(2):
        query, key, value = (maps[..., at + 3 * head : at + 3 * head + 3] for at in (0, 6, 12))
        scores = query @ key.transpose(1, 2) / math.sqrt(3)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, 0], -math.inf)
        heads.append(scores.softmax(-1) @ value)
    added = own.up(torch.cat(heads, -1))
    attention = layer.attention(hidden, mask)[0]
    forward = layer.output.dense(layer.intermediate(attention))
    expected = layer.output.LayerNorm(forward + attention + added)
    torch.testing.assert_close(made.view("B", 2, layer)(hidden, mask), expected)


def test_the_projections_serve_all_layers(tiny_bert: Path) -> None:
    made = Pals(Host(load_backbone(str(tiny_bert)), ["A"], 8, 0))
    size = 6  # 16 * 204 / 768 to the nearest multiple of 6 heads, one at least
    shared = size * 16 + size + 16 * size + 16
    assert sum(p.numel() for p in made.parameters()) == shared + 4 * 3 * (size * size + size)


def test_heads_that_do_not_divide_the_size_are_one_line(tiny_bert: Path) -> None:
    with pytest.raises(RelevanceError) as error:
        Pals(Host(load_backbone(str(tiny_bert)), ["A"], 8, 0), size=20)
    assert str(error.value) == (
        "Method 'pals' splits size=20 among heads=6. Choose a multiple of 6, such as size=24."
    )
