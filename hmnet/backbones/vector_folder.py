"""A file of word vectors as the folder of an encoder: configuration, tokenizer and vectors.

It is made once and found again in the cache by what the file holds, so that whatever takes the
folder of a checkpoint takes word vectors. The layer above them is not in it: a seed draws that.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from hmnet.backbones.word_vectors import WordVectors, read_word_vectors
from relevance.disk.entries import ensure_entry
from relevance.disk.files import cache_dir, digest, file_digest, unreadable, write_text
from relevance.disk.manifest import write_manifest

MODEL_TYPE = "word_vector_bilstm"
PREFIX = "bilstm"  # of the encoder's weights
SCHEMA, VERSION = "hmnet.vectors/1", 1  # goes up when the same file gives another folder
PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SPECIAL = (PAD, UNKNOWN, BEGIN, END)  # their ids are their places
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")


def vector_folder(path: Path) -> Path:
    """The folder of an encoder that begins with the vectors of a file.

    Args:
        path: A file of word vectors.

    Returns:
        `vectors/<key>/` in the cache, made unless it is there.

    Raises:
        RelevanceError: If the file cannot be read or is not of the form, or the cache cannot be
            written.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    asked = path.absolute(), cache_dir().absolute(), state.st_size, state.st_mtime_ns
    folder = _made(*asked)
    if not folder.is_dir():  # the cache was emptied meanwhile
        _made.cache_clear()
        folder = _made(*asked)
    return folder


@lru_cache(maxsize=8)  # a run asks several times, and a digest of gigabytes takes seconds
def _made(path: Path, cache: Path, *_: int) -> Path:
    try:
        key = digest({"version": VERSION, "file": file_digest(path)})
    except OSError as error:
        raise unreadable(path, error) from error
    folder = cache / "vectors" / key

    def write(draft: Path) -> None:
        tokenizer = word_tokenizer([])
        _write(draft, read_word_vectors(path, lambda word: _as_read(tokenizer, word)))

    ensure_entry(folder, FILES, SCHEMA, write)
    return folder


def word_tokenizer(words: list[str]) -> Tokenizer:
    """A tokenizer of whole words: BERT's own pre-tokenizer, in lower case, accents kept.

    Args:
        words: Words that it knows; all others are one unknown word.

    Returns:
        The tokenizer, which puts a text, or two, between the tokens that BERT's does.
    """
    codes = {token: code for code, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(codes, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.BertNormalizer(strip_accents=False, lowercase=True)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        pair=f"{BEGIN} $A {END} $B:1 {END}:1",
        special_tokens=[(token, SPECIAL.index(token)) for token in (BEGIN, END)],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return tokenizer


def _as_read(tokenizer: Tokenizer, word: str) -> str | None:
    """A word of the file as a text has it, None where a text would have several or none."""
    normal = tokenizer.normalizer.normalize_str(word)
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str(normal)
    return pieces[0][0] if len(pieces) == 1 and normal not in SPECIAL else None


def _write(folder: Path, found: WordVectors) -> None:
    """Write the files of an encoder of these words."""
    words, vectors = found
    table = np.concatenate([_special_vectors(vectors), vectors])
    config = {
        "model_type": MODEL_TYPE,
        "vocab_size": len(table),
        "embedding_size": table.shape[1],
        "pad_token_id": SPECIAL.index(PAD),
    }
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "cls_token": BEGIN, "sep_token": END}
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
    }
    write_text(folder / "config.json", json.dumps(config, indent=2))
    write_text(folder / "tokenizer.json", word_tokenizer(words).to_str())
    write_text(folder / "tokenizer_config.json", json.dumps(settings | names, indent=2))
    save_file(
        {f"{PREFIX}.word_embeddings.weight": table},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    write_manifest(folder, FILES, schema=SCHEMA)


def _special_vectors(vectors: Float32[np.ndarray, "word width"]) -> Float32[np.ndarray, "4 width"]:
    """Vectors of what is no word: nothing for padding, and the mean of all for an unknown word.

    The two borders are drawn as the words' vectors are spread, the same for equal files.
    """
    mean, spread = vectors.mean(axis=0, dtype=np.float64), vectors.std(axis=0, dtype=np.float64)
    drawn = np.random.default_rng(0).standard_normal((2, len(mean)))
    return np.stack([0 * mean, mean, *(mean + drawn * spread)]).astype(np.float32)
