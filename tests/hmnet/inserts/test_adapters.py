"""Adapters against their paper's definition."""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from hmnet.backbones.backbone import load_backbone
from hmnet.inserts.adapters import Adapter, Adapters, OwnNorm
from hmnet.inserts.insert import Host
from hmnet.models.freezing import trains_together
from hmnet.sharing.freeze import Freeze
from hmnet.sharing.plan import Inserted, fully_shared


def test_a_layer_is_what_the_paper_says(tiny_bert: Path) -> None:
    """LN(x + adapter(attention)), then LN(a + adapter(feed-forward)), with the task's own LN."""
    backbone = load_backbone(str(tiny_bert))
    made = Adapters(Host(backbone, ["A", "B"], 8, 0), size=5)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight))
    layer, hidden = backbone.copy_layer(1).eval(), torch.randn(2, 3, 16)
    own = made.tasks["B"][1]

    def adapted(number: int, states: torch.Tensor) -> torch.Tensor:
        down, up = own.adapters[number].down, own.adapters[number].up
        low = F.gelu(states @ down.weight.T + down.bias)
        assert low.shape[-1] == 5
        return states + low @ up.weight.T + up.bias

    def normed(number: int, norm: nn.LayerNorm, states: torch.Tensor) -> torch.Tensor:
        offsets = own.norms[number]
        scale, bias = norm.weight + offsets.scale, norm.bias + offsets.bias
        return F.layer_norm(states, (16,), scale, bias, norm.eps)

    attention = layer.attention.output.dense(layer.attention.self(hidden)[0])
    middle = normed(0, layer.attention.output.LayerNorm, adapted(0, attention) + hidden)
    forward = layer.output.dense(layer.intermediate(middle))
    expected = normed(1, layer.output.LayerNorm, adapted(1, forward) + middle)
    torch.testing.assert_close(made.view("B", 1, layer)(hidden), expected)


def test_an_adapter_starts_near_the_identity() -> None:
    adapter = Adapter(256, 64, nn.GELU())
    hidden = torch.randn(10, 256)
    assert 0 < (adapter(hidden) - hidden).abs().max() < 0.1
    assert all(weight.abs().max() <= 0.02 for weight in adapter.parameters())


def test_a_norm_starts_as_the_pretrained_one(tiny_bert: Path) -> None:
    backbone = load_backbone(str(tiny_bert))
    made = Adapters(Host(backbone, ["A"], 8, 0))
    view = made.view("A", 0, backbone.copy_layer(0))
    assert isinstance(view.output.LayerNorm, OwnNorm)
    hidden = torch.randn(2, 16)
    assert torch.equal(view.output.LayerNorm(hidden), view.output.LayerNorm.norm(hidden))


def test_tasks_on_a_frozen_encoder_train_nothing_together() -> None:
    names = ("A", "B")
    for method, expected in (("adapters", False), ("camtl", True), ("pals", False)):
        plan = fully_shared(names, 4).model_copy(
            update={"inserted": Inserted(modules=method, max_length=8)}
        )
        assert trains_together(plan, Freeze(everything=True).layers(4)) == expected
        assert trains_together(plan, Freeze(percent=50).layers(4))
