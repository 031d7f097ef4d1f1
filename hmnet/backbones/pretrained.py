"""Reading from the folder of a checkpoint: the one place that calls `from_pretrained`.

No code of a checkpoint is run, nothing is asked, and weights come from safetensors alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hmnet.backbones.bilstm import register
from hmnet.backbones.folder import CONFIG, OWN_CONFIG
from relevance.errors import RelevanceError
from relevance.text.own_code import refuse_own_code

# Far more than any model has: beyond it one would wait for nothing until the memory is full.
SIZES = {
    "hidden_size": 10**6,
    "num_hidden_layers": 10**4,
    "num_attention_heads": 10**5,
    "intermediate_size": 10**8,
    "vocab_size": 10**8,
    "max_position_embeddings": 10**9,
}
PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")

register()


def read_config(folder: Path) -> PreTrainedConfig:
    """Read the configuration of a checkpoint.

    Args:
        folder: Folder of the checkpoint, or of a model of ours.

    Returns:
        The configuration.

    Raises:
        RelevanceError: If there is none, it cannot be read, or it asks for code.
    """
    refuse_own_code(folder)
    # runs of older versions have it under the plain name
    found = [folder / name for name in (OWN_CONFIG, CONFIG) if (folder / name).is_file()]
    if not found:
        raise RelevanceError(f"{folder} holds no {CONFIG}. Give the folder of a checkpoint.")
    with readable(folder):
        config: PreTrainedConfig = AutoConfig.from_pretrained(found[0], trust_remote_code=False)
    for size, most in SIZES.items():
        value = getattr(config, size, None)
        least = -1 if size == "max_position_embeddings" else 1  # XLNet's -1 is without limit
        if isinstance(value, int) and not least <= value <= most:
            raise RelevanceError(
                f"{found[0]} has {size} = {str(value)[:20]}, expected {least} to {most}. Give the"
                " configuration that belongs to the checkpoint."
            )
    return config


def read_model(folder: Path, auto: str, **settings: Any) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Read a model in fp32; what it says of weights that don't fit is not printed but returned.

    Args:
        folder: Folder of the checkpoint.
        auto: Name of the Auto class of transformers.
        **settings: Settings of its configuration.

    Returns:
        The model, and what transformers reports: lists of `missing_keys`, `unexpected_keys` and
        `mismatched_keys`.

    Raises:
        RelevanceError: If the files cannot be read, ask for code, or have weights as pickles only.
    """
    read_config(folder)
    if not any(folder.glob("*.safetensors")) and any(map(any, map(folder.glob, PICKLES))):
        raise RelevanceError(
            f"{folder} has its weights as a pickle, which can run code, and not as"
            " model.safetensors. Convert them with safetensors, or use a checkpoint that comes with"
            " them."
        )
    with readable(folder):
        model, report = getattr(transformers, auto).from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **settings,
        )
    return model, report


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    """Read the tokenizer of a checkpoint as transformers does, for `hmnet.data.tokenizer`.

    Args:
        folder: Folder of the checkpoint.

    Returns:
        The tokenizer, not checked.

    Raises:
        RelevanceError: If it asks for code; other faults as transformers raises them.
    """
    refuse_own_code(folder)
    tokenizer: PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(
        folder, config=read_config(folder), trust_remote_code=False
    )
    return tokenizer


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Tell in one line what transformers raises for a checkpoint that it cannot read.

    Args:
        folder: The checkpoint.

    Yields:
        Nothing.

    Raises:
        RelevanceError: In place of what came up inside.
    """
    try:
        yield
    except RelevanceError:
        raise
    except Exception as error:  # by family, by library and by what is wrong
        reason = said_by(error)
        raise RelevanceError(
            f"{folder} cannot be loaded as an encoder: {reason}. Expected config.json and"
            " model.safetensors of a family that transformers can classify with."
        ) from error


def said_by(error: Exception) -> str:
    """Tell an error of transformers in one line.

    Args:
        error: The error.

    Returns:
        First line of the error, with the second where the first only announces it; the kind of
        error where it says nothing or no more than a name.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines or isinstance(error, KeyError):
        return f"{type(error).__name__} {' '.join(lines[:1])}".strip()
    said = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    return said[:300].rstrip(".:")
