"""Batches of encoded rows: padded to their longest row, with the inputs that the backbone takes."""

from typing import Literal, NotRequired, TypeAlias, TypedDict

import numpy as np
import torch
from jaxtyping import Int, Int64
from torch import Tensor, nn
from transformers import PreTrainedConfig

from hmnet.data.alignment import aligned
from hmnet.data.encoded_files import gathered
from hmnet.data.template import Pieces, Sequences, assemble, boundaries, spans
from relevance.errors import RelevanceError

Further: TypeAlias = Literal["alternatives", "marks"]
"""What some kinds of tasks read beside tokens."""


class InputForm(TypedDict):
    """The form of inputs that a backbone and the head on it take.

    Attributes:
        pad_id: Token id of padding; RoBERTa counts positions by it.
        with_segments: Whether it tells first and further texts apart by segment ids.
        apart: Whether the texts of a row are read one by one.
        further: What is read beside tokens; not there for nothing.
    """

    pad_id: int
    with_segments: bool
    apart: bool
    further: NotRequired[Further]


def input_form(
    config: PreTrainedConfig, *, apart: bool = False, further: Further | None = None
) -> InputForm:
    """The form of inputs that the backbone of a configuration takes.

    Args:
        config: The backbone's; RoBERTa has one segment only and DistilBERT none, so they get no
            segment ids.
        apart: Whether the head on it wants the texts of a row one by one.
        further: What the task's kind reads beside tokens.

    Returns:
        Keywords for `collate`.
    """
    pad_id = getattr(config, "pad_token_id", None)
    segments = getattr(config, "type_vocab_size", None) or 0
    form = InputForm(pad_id=pad_id or 0, with_segments=segments > 1, apart=apart)
    return form if further is None else {**form, "further": further}


def collate(
    encoded: Sequences,
    rows: Int[np.ndarray, " row"],
    *,
    pad_id: int,
    with_segments: bool,
    apart: bool = False,
    further: Further | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, Int[Tensor, "_ *_"]]:
    """One padded batch.

    Args:
        encoded: The sequences.
        rows: Numbers of the rows to take, in this order; at least one.
        pad_id: Token id of padding.
        with_segments: Whether to add `token_type_ids`: 0 for the first text and padding, 1 for the
            rest.
        apart: Whether a row becomes two inputs, see `texts_apart`.
        further: `alternatives` makes an input of each alternative of a row, `[alternative, 1,
            token]`, and adds the numbers of each row's own, -1 behind them; `marks` adds the marks
            that each token is in, as bits.
        device: Where they go.

    Returns:
        `input_ids`, `attention_mask` and, where wanted, `token_type_ids`, int64, as wide as the
        longest row; `[row, 2, token]` for texts apart.
    """
    if further == "alternatives":
        inputs, own = alternatives_apart(encoded, rows)
        form = InputForm(pad_id=pad_id, with_segments=with_segments, apart=apart)
        batch = collate(inputs, np.arange(len(inputs)), **form, device=device)
        if not apart:
            batch = {name: values.unsqueeze(1) for name, values in batch.items()}
        return {**batch, further: torch.from_numpy(own).to(device)}
    if apart:
        texts = texts_apart(encoded, rows)
        every = np.arange(len(texts))
        batch = collate(texts, every, pad_id=pad_id, with_segments=with_segments, device=device)
        return {name: values.reshape(len(rows), 2, -1) for name, values in batch.items()}
    lengths = encoded.lengths[rows]
    places = np.arange(lengths.max())
    mask = places < lengths[:, None]
    ids = np.full(mask.shape, pad_id, dtype=np.int64)
    tokens = spans(encoded.offsets[:-1][rows], lengths)
    ids[mask] = gathered(encoded.ids, tokens)
    arrays = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
    if with_segments:
        segments = mask & (places >= encoded.first[rows][:, None])
        arrays["token_type_ids"] = segments.astype(np.int64)
    if further == "marks":
        arrays[further] = np.zeros_like(ids)
        arrays[further][mask] = gathered(aligned(encoded).begins, tokens)
    return {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}


def texts_apart(encoded: Sequences, rows: Int[np.ndarray, " row"]) -> Sequences:
    """The first text of each row and the rest of it, as inputs of their own.

    What gave way when the row was made stays out, so both fit where the row does. Of three texts
    the second and third stay together; where a row has one, the rest of it is an empty text.

    Args:
        encoded: The rows.
        rows: Numbers of the rows to take, in this order; at least one.

    Returns:
        Two sequences for each row, its first text's and the other's, as the tokenizer makes them of
        single texts.
    """
    template = encoded.template
    begin = encoded.offsets[:-1][rows]
    end = begin + encoded.lengths[rows] - len(template.suffix)
    is_pair = encoded.first[rows] < encoded.lengths[rows]
    rest = np.where(is_pair, begin + encoded.first[rows], end)
    starts = np.stack([begin + len(template.prefix), rest], axis=1)
    ends = np.stack([np.where(is_pair, rest - len(template.middle), end), end], axis=1)
    lengths = (ends - starts).ravel()
    longest = int(lengths.max()) + template.special_count(1)
    ids = gathered(encoded.ids, spans(starts.ravel(), lengths))
    return assemble(template, [Pieces(ids, boundaries(lengths)[:-1], lengths)], longest)


def alternatives_apart(
    encoded: Sequences, rows: Int[np.ndarray, " row"]
) -> tuple[Sequences, Int64[np.ndarray, "row place"]]:
    """The alternatives of each row as inputs of their own.

    Args:
        encoded: Rows of a kind whose tokens are aligned with alternatives.
        rows: Numbers of the rows to take, in this order; at least one.

    Returns:
        The inputs, row by row, and the number of each row's first, second and further one among
        them; -1 where a row has fewer than another.
    """
    tokens = spans(encoded.offsets[:-1][rows], encoded.lengths[rows])
    row = np.repeat(np.arange(len(rows)), encoded.lengths[rows])
    place = gathered(aligned(encoded).begins, tokens)
    changes = (np.diff(row, prepend=-1) != 0) | (np.diff(place, prepend=-1) != 0)
    starts = np.flatnonzero(changes)
    own = np.full((len(rows), int(place.max()) + 1), -1, dtype=np.int64)
    own[row[starts], place[starts]] = np.arange(len(starts))
    first = encoded.first[rows][row[starts]]
    offsets = np.append(starts, len(tokens))
    ids = gathered(encoded.ids, tokens)
    return Sequences(ids, offsets, first, template=encoded.template), own


def check_max_length(model: nn.Module, max_length: int, setting: str = "max_length") -> None:
    """Refuse inputs longer than the table of positions of a backbone.

    Args:
        model: A model that holds the backbone.
        max_length: Most tokens of one input.
        setting: Name of the setting that says so.

    Raises:
        RelevanceError: If there are fewer positions.
    """
    limit = positions(model)
    if limit is not None and max_length > limit:
        raise RelevanceError(
            f"`{setting}={max_length}` is more than the backbone's {limit} positions."
            f" Choose {limit} at most."
        )


def positions(model: nn.Module) -> int | None:
    """Most tokens that a backbone's table of positions has place for.

    Args:
        model: A model that holds the backbone.

    Returns:
        The number; None without a table, as where positions are relative or rotary.
    """
    limits = [
        # RoBERTa's positions begin behind that of padding: its table of 514 is for 512 tokens.
        module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
        for name, module in model.named_modules()
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
    ]
    return min(limits, default=None)
