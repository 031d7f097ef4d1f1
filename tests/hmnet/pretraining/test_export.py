from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoTokenizer, BertForPreTraining

from encoders import FAMILIES
from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.levels import Levels
from hmnet.data.tokenizer import read_tokenizer
from hmnet.pretraining.export import export
from hmnet.pretraining.model import PretrainingModel
from relevance.errors import RelevanceError


def exported(backbone: Path, levels: Levels, out_dir: Path) -> PretrainingModel:
    """A model with random weights throughout, written as a checkpoint."""
    model = PretrainingModel(load_backbone(str(backbone)), levels).eval()
    torch.manual_seed(0)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.2)
    export(model, AutoTokenizer.from_pretrained(backbone), out_dir)
    return model


@pytest.mark.parametrize("top", [4, 2])
def test_both_levels_at_the_top_make_a_plain_bert(
    tiny_bert: Path, tmp_path: Path, top: int
) -> None:
    model = exported(tiny_bert, Levels(mlm=top, nsp=top), tmp_path / "out")
    plain, said = BertForPreTraining.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not said["missing_keys"]
    assert not said["unexpected_keys"]
    ids = torch.tensor([[2, 7, 9, 3], [2, 8, 8, 3]])
    with torch.no_grad():
        found = plain.eval()(input_ids=ids)
        states = model.encoder(input_ids=ids).last_hidden_state
        words = model.encoder.get_input_embeddings().weight
        assert model.nsp is not None
        segments, tokens = model.nsp(states[:, 0]), model.mlm(states.flatten(0, 1), words)
    assert torch.allclose(found.seq_relationship_logits, segments, atol=1e-5)
    assert torch.allclose(found.prediction_logits.flatten(0, 1), tokens, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_is_a_backbone_of_as_many_layers_as_were_read(
    family: str, tiny_backbones: dict[str, Path], tmp_path: Path
) -> None:
    model = exported(tiny_backbones[family], Levels(mlm=1, nsp=3), tmp_path / "out")
    backbone = load_backbone(str(tmp_path / "out"))
    assert backbone.depth == 3
    weights = backbone.base.state_dict()
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(weights[name], value), name
    assert read_tokenizer(tmp_path / "out").mask_token_id is not None
    if family == "bert":
        assert model.nsp is not None
        assert torch.equal(weights["pooler.dense.weight"], model.nsp.pooler.weight)
        assert not any("cls" in name for name in load_file(tmp_path / "out/model.safetensors"))


def test_a_folder_with_something_in_it_is_left_alone(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(RelevanceError, match="cannot be written"):
        exported(tiny_bert, Levels(mlm=2), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
