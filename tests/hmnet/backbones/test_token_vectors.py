"""Token vectors are the encoder's own input embeddings, read without the encoder."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.token_vectors import read_token_vectors
from relevance.errors import RelevanceError


@pytest.fixture
def copied(tiny_bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "bert"))


def test_every_family(tiny_backbones: dict[str, Path]) -> None:
    for family, folder in tiny_backbones.items():
        expected = load_backbone(str(folder)).base.get_input_embeddings().weight
        found = read_token_vectors(str(folder))
        assert (found.vectors == expected.detach().numpy()).all(), family
        assert found.name == str(folder)
        ids = found.tokenizer.token_counts(["a word or two"])
        assert max(ids) < len(found.vectors)


def test_other_vectors_have_another_fingerprint(copied: Path, tiny_bert: Path) -> None:
    same = read_token_vectors(str(copied)).fingerprint
    assert same == read_token_vectors(str(tiny_bert)).fingerprint
    weights = {name: 2 * value for name, value in load_file(copied / "model.safetensors").items()}
    save_file(weights, copied / "model.safetensors")
    assert read_token_vectors(str(copied)).fingerprint != same


def test_half_precision_and_shards(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    (name,) = [name for name in weights if name.endswith("word_embeddings.weight")]
    half = weights[name].to(torch.bfloat16)
    (copied / "model.safetensors").unlink()
    save_file({name: half}, copied / "model-00001-of-00002.safetensors")
    save_file({"other": weights[name]}, copied / "model-00002-of-00002.safetensors")
    files = {name: "model-00001-of-00002.safetensors", "other": "model-00002-of-00002.safetensors"}
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    found = read_token_vectors(str(copied)).vectors
    assert (found == half.float().numpy()).all()


@pytest.mark.process
def test_reading_imports_no_torch(tiny_bert: Path) -> None:
    code = f"""if True:
        import sys
        from hmnet.backbones.token_vectors import read_token_vectors
        assert read_token_vectors({str(tiny_bert)!r}).vectors.shape[1] == 16
        assert not {{"torch", "transformers"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("names", [[], ["a.word_embeddings.weight", "b.embed_tokens.weight"]])
def test_it_must_be_plain_which_tensor_it_is(copied: Path, names: list[str]) -> None:
    tensors = {name: torch.ones(2, 3) for name in [*names, "encoder.weight"]}
    save_file(tensors, copied / "model.safetensors")
    with pytest.raises(RelevanceError) as raised:
        read_token_vectors(str(copied))
    which = f" ({', '.join(names)})" if names else ""
    assert str(raised.value) == (
        f"The token embeddings in {copied} cannot be read: it has {len(names)} tensors of such a"
        f" name{which}. Expected model.safetensors with one tensor whose name ends"
        " in word_embeddings.weight, tok_embeddings.weight, embed_tokens.weight,"
        " shared.weight or wte.weight."
    )


@pytest.mark.parametrize("content", [None, b"", b"no tensors at all"])
def test_a_checkpoint_that_cannot_be_read(copied: Path, content: bytes | None) -> None:
    path = copied / "model.safetensors"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RelevanceError) as raised:
        read_token_vectors(str(copied))
    message = str(raised.value)
    assert message.startswith(f"The token embeddings in {copied} cannot be read: ")
    assert "\n" not in message
