"""The tokenizer that comes with a checkpoint."""

from pathlib import Path

from transformers import PreTrainedTokenizerBase

from hmnet.pretrained import tokenizer_of
from relevance.errors import RelevanceError


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer.

    Args:
        folder: Of a checkpoint; no code in it is run.

    Returns:
        The tokenizer.

    Raises:
        RelevanceError: If the folder holds none, or one that asks for code.
    """
    try:
        tokenizer = tokenizer_of(folder)
    except (OSError, ValueError, KeyError) as error:
        raise RelevanceError(
            f"{folder} holds no tokenizer. Copy tokenizer.json and tokenizer_config.json there."
        ) from error
    return tokenizer
