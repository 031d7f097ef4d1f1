"""Code that a checkpoint brings is never run, whichever way the checkpoint is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hmnet.backbones.backbone import load_backbone, load_config
from hmnet.backbones.folder import resolve_backbone
from hmnet.backbones.token_vectors import read_token_vectors
from hmnet.data.tokenizer import read_tokenizer
from relevance.errors import RelevanceError

EVIL = "from pathlib import Path\nPath(__file__).with_name('CODE_WAS_RUN').touch()\n"
READERS = {
    "load_config": load_config,
    "load_backbone": load_backbone,
    "read_tokenizer": lambda name: read_tokenizer(resolve_backbone(name)),
    "read_token_vectors": read_token_vectors,
}


@pytest.fixture
def evil(tiny_bert: Path, tmp_path: Path) -> Path:
    """A BERT whose configurations name a module that leaves a trace."""
    folder = shutil.copytree(tiny_bert, tmp_path / "evil")
    (folder / "evil.py").write_text(EVIL, encoding="utf-8")
    return folder


def change(file: Path, **entries: object) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | entries), encoding="utf-8")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("model_type", ["bert", "custombert"])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_of_a_checkpoint_is_refused(
    evil: Path, file: str, model_type: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(evil / "config.json", model_type=model_type)
    auto_map = {"AutoConfig": "evil.C", "AutoModel": "evil.X", "AutoTokenizer": [None, "evil.T"]}
    change(evil / file, auto_map=auto_map)
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("a question was asked"))
    with pytest.raises(RelevanceError, match=f"{file} asks for code that the checkpoint brings"):
        READERS[reader](str(evil))
    assert not list(evil.rglob("CODE_WAS_RUN"))


def test_code_on_the_hub_is_refused_before_the_weights_are_fetched(
    evil: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(evil / "config.json", auto_map={"AutoModel": "evil.X"})
    (evil / "model.safetensors").unlink()  # as the cache is before they come
    repo = tmp_path / "hub" / "models--org--evil"
    commit = "a" * 40
    shutil.copytree(evil, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RelevanceError, match=r"config\.json asks for code that the checkpoint"):
        load_backbone("org/evil")
    with pytest.raises(RelevanceError, match=r"config\.json asks for code that the checkpoint"):
        load_config("org/evil")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin"])
def test_pickled_weights_are_not_taken(evil: Path, name: str) -> None:
    torch.save(load_file(evil / "model.safetensors"), evil / name)
    load_backbone(str(evil))  # beside safetensors they are left alone
    (evil / "model.safetensors").unlink()
    with pytest.raises(RelevanceError) as caught:
        load_backbone(str(evil))
    assert str(caught.value) == (
        f"{evil} has its weights as a pickle, which can run code, and not as model.safetensors."
        " Convert them with safetensors, or use a checkpoint that comes with them."
    )
