"""Padded batches against plain loops, and what each family takes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModel

from hmnet.data.batching import check_max_length, collate, input_form
from hmnet.data.template import Sequences, Template, boundaries
from relevance.errors import RelevanceError

ROWS = st.lists(st.lists(st.integers(5, 99), min_size=2, max_size=9), min_size=1, max_size=6)


def sequences(rows: list[list[int]]) -> Sequences:
    return Sequences(
        ids=np.array([token for row in rows for token in row], dtype=np.int32),
        offsets=boundaries(np.array([len(row) for row in rows])),
        first=np.array([len(row) // 2 for row in rows]),
        template=Template((2,), (3,), (3,)),
    )


@given(ROWS, st.data())
def test_batches_are_those_of_plain_loops(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8))
    width = max(len(rows[row]) for row in chosen)

    batch = collate(sequences(rows), np.array(chosen), pad_id=1, with_segments=True)

    for place, row in enumerate(chosen):
        padding = width - len(rows[row])
        half = len(rows[row]) // 2
        assert batch["input_ids"][place].tolist() == rows[row] + [1] * padding
        assert batch["attention_mask"][place].tolist() == [1] * len(rows[row]) + [0] * padding
        segments = [0] * half + [1] * (len(rows[row]) - half) + [0] * padding
        assert batch["token_type_ids"][place].tolist() == segments


def test_segments_only_where_they_are_taken(tiny_backbones: dict[str, Path]) -> None:
    forms = {
        family: input_form(AutoConfig.from_pretrained(folder))
        for family, folder in tiny_backbones.items()
    }

    assert {family for family, form in forms.items() if form["with_segments"]} == {
        "bert",
        "electra",
    }
    assert forms["roberta"]["pad_id"] == 1
    assert "token_type_ids" not in collate(sequences([[5, 6]]), np.array([0]), **forms["roberta"])


@pytest.mark.parametrize(
    ("family", "limit"), [("bert", 130), ("roberta", 128), ("distilbert", 130), ("electra", 130)]
)
def test_no_more_tokens_than_positions(
    family: str, limit: int, tiny_backbones: dict[str, Path]
) -> None:
    model = AutoModel.from_pretrained(tiny_backbones[family])
    encoded = sequences([[7] * limit])
    model(**collate(encoded, np.array([0]), **input_form(model.config)))

    check_max_length(model, limit)
    with pytest.raises(RelevanceError) as error:
        check_max_length(model, limit + 1)

    assert str(error.value) == (
        f"`max_length={limit + 1}` is more than the backbone's {limit} positions."
        f" Choose {limit} at most."
    )


@pytest.mark.parametrize("family", ["deberta-v2", "modernbert"])
def test_relative_positions_have_no_end(family: str, tiny_backbones: dict[str, Path]) -> None:
    model = AutoModel.from_pretrained(tiny_backbones[family])
    check_max_length(model, 200)

    model(**collate(sequences([[7] * 200]), np.array([0]), **input_form(model.config)))
