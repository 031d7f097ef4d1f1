"""Sources of tokenizers: the packaged one, a file, a folder, or the hub."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relevance.disk.files import read_object
from relevance.errors import RelevanceError
from relevance.text.minilm import minilm_dir
from relevance.text.own_code import refuse_own_code

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONFIG = "config.json"
FILES = ("tokenizer.json", "vocab.txt")
BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
HUB_TIMEOUT_S = 10.0
CASED = 0.01  # of the words; the vocabulary of lower-cased texts has a stray capital at most
WHAT_TO_DO = "Use a tokenizer.json, a vocab.txt, a folder that holds one, or `minilm`."


def read_tokenizer(name: str) -> "Tokenizer":
    """Read a tokenizer as its file has it.

    Args:
        name: Name or path: `minilm`, a `tokenizer.json`, a BERT `vocab.txt`, a folder that holds
            one of them, or the name of a model on the hub.

    Returns:
        The tokenizer; its truncation and padding are those of the file.

    Raises:
        RelevanceError: If there is no such file, it is no tokenizer, its casing is not that of its
            vocabulary, it has more tokens than the model beside it, what is beside it asks for
            code, or the hub is out of reach.
    """
    path = Path(name)
    tokenizer = _read(name, path)
    check_casing(path, tokenizer)
    if (path / CONFIG).is_file():
        config = read_object(path / CONFIG)
        inner = config.get("text_config")
        rows = inner.get("vocab_size") if isinstance(inner, dict) else config.get("vocab_size")
        check_size(path, tokenizer, rows)
    return tokenizer


def _read(name: str, path: Path) -> "Tokenizer":
    if name == "minilm":
        return _from_json(minilm_dir(weights=False) / FILES[0])
    if path.is_dir():
        refuse_own_code(path)
        found = [path / file for file in FILES if (path / file).is_file()]
        if not found:
            raise RelevanceError(f"{path} holds no {' or '.join(FILES)}. {WHAT_TO_DO}")
        path = found[0]
    elif not path.exists():
        if path.suffix in {".json", ".txt"} or not HUB_NAME.fullmatch(name):
            raise RelevanceError(f"Tokenizer '{name}': no such file. {WHAT_TO_DO}")
        path = _from_hub(name)
    return _from_vocabulary(path) if path.suffix == ".txt" else _from_json(path)


def _from_json(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except BaseException as error:
        if not is_of_tokenizers(error):
            raise
        raise RelevanceError(f"{path} is no tokenizer: {reason_of(error)}. {WHAT_TO_DO}") from error


def _from_vocabulary(path: Path) -> "Tokenizer":
    """BERT's WordPiece; cased if the vocabulary has capitals, which no lower-cased text needs."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    try:
        vocabulary = WordPiece.read_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise RelevanceError(
            f"{path} is no vocabulary: {reason_of(error)}. {WHAT_TO_DO}"
        ) from error
    special = [token for token in BERT_SPECIAL if token in vocabulary]
    if "[UNK]" not in special:
        raise RelevanceError(f"{path} is no BERT vocabulary: it has no [UNK]. {WHAT_TO_DO}")
    tokenizer = Tokenizer(WordPiece(vocabulary))
    tokenizer.normalizer = BertNormalizer(lowercase=not _capitals(vocabulary)[1])
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(special)
    return tokenizer


def _from_hub(name: str) -> Path:
    """The hub's `tokenizer.json`, from the hub's cache or else fetched without trying twice."""
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    try:
        file = try_to_load_from_cache(name, FILES[0])
        if not isinstance(file, str):
            # a download tries for half a minute where nothing answers; this question fails at once
            get_hf_file_metadata(hf_hub_url(name, FILES[0]), timeout=HUB_TIMEOUT_S)
            file = hf_hub_download(name, FILES[0])
    except Exception as error:  # the hub's, its HTTP client's or the system's, by version
        raise RelevanceError(
            f"Tokenizer '{name}' cannot be fetched from the hub ({reason_of(error)}). {WHAT_TO_DO}"
        ) from error
    refuse_own_code(Path(file).parent)  # what is there of the model; only one file is fetched
    return Path(file)


def check_casing(place: Path, tokenizer: "Tokenizer") -> None:
    """Refuse a cased vocabulary for lower-cased text, and the reverse.

    Args:
        place: Path of the tokenizer, for the message.
        tokenizer: Any tokenizer; others than WordPiece spell what they don't know.

    Raises:
        RelevanceError: If words would be unknown for their casing alone.
    """
    if type(tokenizer.model).__name__ != "WordPiece":
        return
    lowers = tokenizer.normalizer is not None and tokenizer.normalizer.normalize_str("A") == "a"
    letters, capitals = _capitals(tokenizer.get_vocab(with_added_tokens=False))
    if lowers and capitals:
        raise RelevanceError(
            f"{place}: the tokenizer brings texts to lower case, but its vocabulary is cased"
            f" ('{min(capitals)}'). Set do_lower_case to false in tokenizer_config.json."
        )
    if not lowers and letters and not capitals:
        raise RelevanceError(
            f"{place}: the tokenizer keeps capitals, but its vocabulary has none, so that every"
            " word with one is unknown. Set do_lower_case to true in tokenizer_config.json."
        )


def check_size(place: Path, tokenizer: "Tokenizer", vectors: object) -> None:
    """Refuse ids that a model's table of embeddings does not have.

    Args:
        place: Folder that the tokenizer is from.
        tokenizer: The tokenizer.
        vectors: Number of embeddings, as the model's configuration has it; anything but a whole
            number says nothing.

    Raises:
        RelevanceError: If there are more tokens.
    """
    token, last = max(tokenizer.get_vocab().items(), key=lambda each: each[1], default=("", -1))
    if isinstance(vectors, int) and last >= vectors:
        raise RelevanceError(
            f"The tokenizer in {place} has the token {last} ('{token}'), but there are vectors for"
            f" {vectors} tokens only: they belong to another tokenizer. Copy that of the checkpoint"
            " there, or take the added tokens out."
        )


def _capitals(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Words that have a casing, and those with capitals if they are more than strays."""
    plain = [word for word in words if word[:1] not in "[<"]
    letters = [word for word in plain if word.upper() != word.lower()]
    capitals = [word for word in letters if word != word.lower()]
    return letters, capitals if len(capitals) > CASED * len(letters) else []


def is_of_tokenizers(error: BaseException) -> bool:
    """Whether the library of tokenizers, which has no class of its own, can have raised an error.

    Args:
        error: The error that was caught.

    Returns:
        True for every error, and for the panic that is none to Python; False for Ctrl-C and exits.
    """
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, without its full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")


@contextmanager
def quiet_panics(definition: str) -> Iterator[None]:
    """Keep the library's own report of a panic off the terminal, as the error says it in a line.

    A pattern that gives up on a text panics in Rust, which writes a stack to the process's standard
    error. Tokenizers without patterns of their own don't, and are left alone.

    """
    if '"Regex"' not in definition:
        yield
        return
    # Rust writes to the descriptor itself, so replacing `sys.stderr` would not catch it.
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
