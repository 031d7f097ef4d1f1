"""The parts that batches run in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hmnet.settings.config import TrainingSettings
from hmnet.training.fit import most_tokens
from hmnet.training.task_source import parts_of

SETTINGS = TrainingSettings(batch_size=8, max_length=16)


@given(st.lists(st.integers(3, 16), min_size=1, max_size=8), st.integers(1, 9))
def test_rows_of_one_input_each_never_need_more_parts(lengths: list[int], accumulate: int) -> None:
    rows = np.arange(len(lengths))
    parts = parts_of(rows, np.array(lengths), accumulate, most_tokens(SETTINGS))
    assert len(parts) == min(accumulate, len(rows))
    assert np.concatenate(parts).tolist() == rows.tolist()


def test_a_batch_of_many_candidates_takes_no_more_than_two_of_other_tasks() -> None:
    lengths, most = np.full(50, 20 * 16), most_tokens(SETTINGS)  # 20 candidates each
    rows = np.array([7, 3, 11, 2, 30, 31, 49, 0])
    parts = parts_of(rows, lengths, 1, most)
    assert [len(part) for part in parts] == [1] * 8
    parts = parts_of(rows, lengths // 5, 1, most)
    assert [len(part) for part in parts] == [4, 4]
    assert all(lengths[part].sum() // 5 <= most for part in parts)
    assert len(parts_of(rows, lengths, 1, None)) == 1
