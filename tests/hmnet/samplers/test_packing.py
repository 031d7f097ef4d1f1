"""Which rows make up a batch."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.samplers._packing import pack


def padding(lengths: np.ndarray, batches: list[np.ndarray]) -> int:
    """Tokens of padding when every batch is as wide as its longest row."""
    return sum(int((lengths[rows].max() - lengths[rows]).sum()) for rows in batches)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=300),
    batch_size=st.integers(1, 40),
    grouped=st.booleans(),
)
def test_every_row_is_in_one_batch(lengths: list[int], batch_size: int, grouped: bool) -> None:
    batches = pack("RTE", np.array(lengths), batch_size=batch_size, seed=0, length_grouped=grouped)
    assert sorted(chain.from_iterable(batches)) == list(range(len(lengths)))
    assert [len(rows) for rows in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=300), seed=st.integers(0, 5))
def test_grouping_never_adds_padding(lengths: list[int], seed: int) -> None:
    counted = np.array(lengths)
    plain, grouped = (
        pack("RTE", counted, batch_size=4, seed=seed, length_grouped=which)
        for which in (False, True)
    )
    assert padding(counted, grouped) <= padding(counted, plain)


def test_a_group_has_fifty_batches_at_most_and_rows_in_order_of_length() -> None:
    lengths = np.random.default_rng(0).integers(4, 96, size=1000)
    plain, grouped = (
        pack("RTE", lengths, batch_size=4, seed=0, length_grouped=which) for which in (False, True)
    )
    for start in range(0, 250, 50):
        rows = np.concatenate(grouped[start : start + 50])
        assert sorted(rows) == sorted(np.concatenate(plain[start : start + 50]))
        assert (np.diff(lengths[rows]) <= 0).all()
    assert padding(lengths, grouped) < 0.1 * padding(lengths, plain)


@pytest.mark.parametrize(("batches", "sorted_together"), [(7, 1), (8, 2), (40, 10)])
def test_a_small_task_has_four_groups(batches: int, sorted_together: int) -> None:
    lengths = np.random.default_rng(0).permutation(batches * 8)
    found = pack("RTE", lengths, batch_size=8, seed=0, length_grouped=True)
    longest = [int(lengths[rows].max()) for rows in found]
    ends = [n for n in range(1, batches) if longest[n] > longest[n - 1]]
    assert all(end % sorted_together == 0 for end in ends)
    assert ends


def test_who_is_in_a_batch_depends_on_seed_and_task() -> None:
    lengths = np.random.default_rng(0).integers(4, 96, size=640)

    def company(task: str, seed: int) -> set[frozenset[int]]:
        found = pack(task, lengths, batch_size=32, seed=seed, length_grouped=True)
        return {frozenset(rows.tolist()) for rows in found}

    assert company("RTE", 0) == company("RTE", 0)
    assert not company("RTE", 0) & company("RTE", 1)
    assert not company("RTE", 0) & company("CB", 0)


def test_rows_of_one_length_are_packed_as_without() -> None:
    lengths = np.full(100, 7)
    plain, grouped = (
        pack("RTE", lengths, batch_size=4, seed=0, length_grouped=which) for which in (False, True)
    )
    assert all((one == other).all() for one, other in zip(plain, grouped, strict=True))
