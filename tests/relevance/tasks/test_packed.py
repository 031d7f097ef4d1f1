"""Packed columns: they read as lists do, and take the bytes of their texts."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.tasks import packed
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task
from relevance.tasks.packed import Packed
from relevance.tasks.task import Source
from toys import toy

CELLS = st.lists(st.none() | st.text() | st.integers() | st.lists(st.text(max_size=3)), max_size=9)


@given(CELLS, st.integers(-10, 10), st.none() | st.integers(-10, 10), st.sampled_from([1, 2, -1]))
def test_they_read_as_lists_do(cells: list[Any], first: int, last: int | None, step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BLOCK", 3)
        column = Packed(iter(cells))
        assert (list(column), len(column)) == (cells, len(cells))
        assert column[first:last:step] == cells[first:last:step]
        assert [column[place] for place in reversed(range(len(cells)))] == cells[::-1]
        assert column == cells
        assert cells == column
        assert column == Packed(cells)
        assert column != [*cells, "more"]
        assert column != "text"
        if -len(cells) <= first < len(cells):
            assert column[first] == cells[first]
        else:
            with pytest.raises(IndexError):
                column[first]


def test_half_of_a_surrogate_pair_stays_what_it_is() -> None:
    assert list(Packed(["\ud800", "\0"] * 100)) == ["\ud800", "\0"] * 100


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_rows_that_are_read_take_what_their_columns_do(tmp_path: Path, form: str) -> None:
    """Lists of these 24 characters and a label, twice, took 235 bytes a row, 254 at the peak."""
    few, many = (traced(tmp_path / f"{rows}.{form}", rows) for rows in (512, 2_048))
    held, most = ((b - a) / 1_536 for a, b in zip(few, many, strict=True))
    columns = 2 * (24 + 8)
    assert columns < held < columns + 96
    assert most < columns + 128


def traced(path: Path, rows: int) -> tuple[int, int]:
    """Bytes that a task takes whose rows are read for training and for dev, and at the peak."""
    write(path, rows)
    task = toy("QA", text=("text",), source=Source(train=str(path), dev=str(path)))
    load_task(task, OPTIONS)  # imports
    tracemalloc.start()
    try:
        data = load_task(task, OPTIONS)
        assert len(data.train) == len(data.evaluation["dev"]) == rows
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


OPTIONS = DataOptions()


def write(path: Path, rows: int) -> None:
    texts = [f"row {number:020}" for number in range(rows)]
    if path.suffix == ".parquet":
        pq = pytest.importorskip("pyarrow.parquet")
        pa = pytest.importorskip("pyarrow")
        pq.write_table(pa.table({"text": texts, "label": [0] * rows}), path)
    elif path.suffix == ".csv":
        path.write_text("".join(["text,label\n", *(f"{text},0\n" for text in texts)]))
    else:
        path.write_text("".join(f'{{"text": "{text}", "label": 0}}\n' for text in texts))
