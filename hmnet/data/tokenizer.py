"""The tokenizer that comes with a checkpoint, refused where it would give a model wrong ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from hmnet.backbones.pretrained import read_config, tokenizer_of
from relevance.errors import RelevanceError
from relevance.text.tokenizer_files import (
    FILES,
    check_casing,
    check_size,
    is_of_tokenizers,
    reason_of,
)
from relevance.text.tokenizer_files import read_tokenizer as read_file

WHOLE = FILES[0]
PARTS = ("*vocab*", "*merges*", "*.model", "*.spm", WHOLE)
COPY = "Copy tokenizer.json and tokenizer_config.json there."
STARTS = ("[CLS]", "<cls>", "<s>")
PROBE = "The quick brown Fox isn't in Paris, 1999"


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer and look whether it is whole and belongs to the checkpoint.

    transformers makes a tokenizer of five special tokens where there are no files, takes the
    casing from a default where a file is missing, and adds special tokens that a vocabulary lacks
    at its end. Each would give a model ids that it was not trained with, and none is an error.

    Args:
        folder: Folder of a checkpoint, with its configuration; no code in it is run.

    Returns:
        The tokenizer.

    Raises:
        RelevanceError: If the folder holds none or half of one, a file is damaged or asks for code,
            its casing is not that of its vocabulary, it knows no special tokens, or it has more
            tokens than the model.
    """
    config = read_config(folder)
    file = folder / WHOLE
    written = read_file(str(file)) if file.is_file() else None
    with _readable(folder):
        tokenizer = tokenizer_of(folder)
    if written is None:
        _check_parts(folder, tokenizer)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if isinstance(backend, Tokenizer):  # others are refused by who wants a fast form
        _check_backend(folder, backend, written)
        check_casing(folder, backend)
        check_size(folder, backend, getattr(config.get_text_config(), "vocab_size", None))
    return tokenizer


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Tell in one line what the library raises for a tokenizer that it cannot read."""
    try:
        yield
    except BaseException as error:  # the library raises nothing narrower
        if isinstance(error, RelevanceError) or not is_of_tokenizers(error):
            raise
        raise _none(folder, reason_of(error)) from error


def _none(folder: Path, reason: str = "") -> RelevanceError:
    if not reason or not any(any(folder.glob(part)) for part in PARTS):
        return RelevanceError(f"{folder} holds no tokenizer. {COPY}")
    return RelevanceError(f"{folder} holds no tokenizer that can be read: {reason}. {COPY}")


def _check_parts(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse what transformers makes up where files are missing."""
    parts = [file for file in tokenizer.vocab_files_names.values() if file != WHOLE]
    missing = [file for file in parts if not (folder / file).is_file()]
    if len(missing) == len(parts):
        raise _none(folder)
    if missing:
        raise _none(folder, f"it has no {' and no '.join(missing)}")


def _check_backend(folder: Path, backend: Tokenizer, written: Tokenizer | None) -> None:
    with _readable(folder):
        pair = backend.encode("a", "a")
        if written is not None:
            _check_same(folder, _words(backend), _words(written))
    masks = zip(pair.ids, pair.special_tokens_mask, pair.attention_mask, strict=True)
    special = [token for token, is_special, is_kept in masks if is_special and is_kept]
    words, known = backend.get_vocab(with_added_tokens=False), backend.get_vocab()
    if any(backend.id_to_token(token) is None for token in special):
        raise _none(folder, "it puts special tokens around a text that its vocabulary lacks")
    if not special and (start := next(filter(known.__contains__, STARTS), None)):
        raise _none(folder, f"it has {start}, but puts no special tokens around a text")
    if type(backend.model).__name__ == "WordPiece":
        # without a tokenizer.json special tokens that the vocabulary lacks were added behind it
        added = [backend.id_to_token(token) for token in special if token >= len(words)]
        if written is None and added:
            raise _none(folder, f"its vocabulary lacks {added[0]}")


def _words(backend: Tokenizer) -> list[str | None]:
    """Tokens of the probe text by a tokenizer, without padding."""
    found = backend.encode(PROBE, add_special_tokens=False)
    kept = zip(found.ids, found.attention_mask, strict=True)
    return [backend.id_to_token(token) for token, is_kept in kept if is_kept]


def _check_same(folder: Path, made: list[str | None], expected: list[str | None]) -> None:
    """Refuse settings beside a tokenizer.json that make another tokenizer of it."""
    if made != expected:
        place = next(n for n in range(len(made) + 1) if made[n : n + 1] != expected[n : n + 1])
        mine, theirs = (" ".join(map(str, each[place : place + 5])) for each in (made, expected))
        raise RelevanceError(
            f"{folder}: its settings make '{mine} ...' of '{PROBE}' where {WHOLE} itself makes"
            f" '{theirs} ...'. Copy the tokenizer_config.json that belongs to it there, or set"
            " do_lower_case and tokenizer_class in it."
        )
