"""Checkpoints that bring code of their own, found before anything of them is loaded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relevance.errors import RelevanceError

CONFIGS = "*config*.json"  # of the model, the tokenizer, processors and versions of them
ADAPTER = "adapter_config.json"
KERNELS = ("attn_implementation", "experts_implementation")


def refuse_own_code(folder: Path) -> None:
    """Refuse a checkpoint that asks for code beside that of the libraries.

    It looks for `auto_map` at any depth of any configuration, kernels that would be fetched by
    their name on the hub, and adapters, which name another checkpoint that nobody has looked at.

    Args:
        folder: Folder of the checkpoint. A configuration that is no JSON is left to whoever reads
            it.

    Raises:
        RelevanceError: If the checkpoint asks for code; nothing has been asked, fetched or run.
    """
    if (folder / ADAPTER).is_file():
        raise RelevanceError(
            f"{folder} holds an adapter ({ADAPTER}) for another checkpoint. Merge the two, save the"
            " whole model, and give its folder."
        )
    for path in sorted(folder.glob(CONFIGS)):
        if found := next(_asking(_content(path)), None):
            raise RelevanceError(
                f"{path} asks for code that the checkpoint brings along ({found}), and no code of a"
                " checkpoint is run here. Use a checkpoint of a family that transformers itself"
                " has, saved without it."
            )


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None


def _asking(content: Any) -> Iterator[str]:
    """The entries, at any depth, that ask for code."""
    below = [content]
    while below:
        each = below.pop()
        if isinstance(each, list):
            below += each
        elif isinstance(each, dict):
            below += each.values()
            if each.get("auto_map"):
                yield "auto_map"
            for key, value in each.items():
                named = value.values() if isinstance(value, dict) else [value]
                if any(word in key for word in KERNELS) and any("/" in str(v) for v in named):
                    yield key
