"""The input embeddings of an encoder, read from its checkpoint without torch or a model."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from hmnet.backbones.folder import resolve_backbone
from relevance.disk.files import read_object
from relevance.errors import RelevanceError
from relevance.text.token_vectors import TokenVectors
from relevance.text.tokenizers import load_tokenizer

NAMES = (
    "word_embeddings.weight",  # BERT, RoBERTa, ELECTRA, DistilBERT, DeBERTa
    "tok_embeddings.weight",  # ModernBERT
    "embed_tokens.weight",
    "shared.weight",
    "wte.weight",
)
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def read_token_vectors(backbone: str) -> TokenVectors:
    """Read an encoder's tokenizer and the vector with which each of its tokens begins.

    Args:
        backbone: `minilm`, a folder, or a name on the hub.

    Returns:
        One vector per token id, in fp32.

    Raises:
        RelevanceError: If the checkpoint or its tokenizer cannot be found or read, or it is not
            plain which of its tensors are the input embeddings.
    """
    folder = resolve_backbone(backbone)
    try:
        vectors = _input_embeddings(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise RelevanceError(
            f"The token embeddings in {folder} cannot be read: {reason}. Expected {WEIGHTS} with"
            f" one tensor whose name ends in {', '.join(NAMES[:-1])} or {NAMES[-1]}."
        ) from error
    tokenizer = load_tokenizer(backbone if backbone == "minilm" else str(folder))
    return TokenVectors(backbone, tokenizer, vectors, sha256(vectors.tobytes()).hexdigest())


def _input_embeddings(folder: Path) -> np.ndarray:
    index = folder / INDEX
    if index.is_file():
        files = read_object(index).get("weight_map")
        if not isinstance(files, dict):
            raise ValueError(f"{INDEX} has no `weight_map`")
    else:
        with safe_open(folder / WEIGHTS, "np") as file:
            files = dict.fromkeys(file.keys(), WEIGHTS)
    name = _only(list(files))
    return _tensor(folder / files[name], name)


def _only(names: list[str]) -> str:
    """The one name among those of a checkpoint's tensors."""
    found = [name for name in names if name.endswith(NAMES)]
    if len(found) != 1:
        which = f" ({', '.join(found)})" if found else ""
        raise ValueError(f"it has {len(found)} tensors of such a name{which}")
    return found[0]


def _tensor(path: Path, name: str) -> np.ndarray:
    """A tensor in fp32; numpy has no bf16, which only torch can read."""
    with safe_open(path, "np") as file:
        dtype = file.get_slice(name).get_dtype()
    with safe_open(path, "pt" if dtype == "BF16" else "np") as file:
        tensor = file.get_tensor(name)
    values = tensor.float().numpy() if dtype == "BF16" else tensor
    return np.asarray(values, dtype=np.float32)
