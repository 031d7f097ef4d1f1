import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.subset import hold_out, subset


def split_of(
    labels: list[int] | list[float], groups: list[int] | None = None, dtype: type = np.int64
) -> Split:
    texts = [str(row) for row in range(len(labels))]
    return Split(
        (texts,),
        np.array(labels, dtype=dtype),
        None if groups is None else np.array(groups, dtype=np.int64),
    )


def rows(split: Split) -> list[int]:
    return [int(text) for text in split.texts[0]]


def test_a_subset_is_the_same_every_time_and_in_the_order_of_the_split() -> None:
    split = split_of([0] * 1000)
    drawn = rows(subset(split, 10))
    assert drawn == sorted(drawn)
    assert drawn == rows(subset(split, 10))
    assert drawn != list(range(10))


def test_all_rows_where_the_limit_is_none_or_not_below_their_number() -> None:
    split = split_of([0, 1, 0])
    assert subset(split, None) is split
    assert subset(split, 3) is split
    assert subset(split, 4) is split


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    limits=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_subsets_are_nested_and_cut_at_most_one_group(
    sizes: list[int], limits: tuple[int, int]
) -> None:
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    split = split_of([0] * len(groups), groups)
    small, large = (subset(split, limit) for limit in sorted(limits))
    assert len(small) == min(len(split), *limits)
    assert set(rows(small)) <= set(rows(large))
    assert small.groups is not None
    whole = [np.sum(small.groups == group) == sizes[group] for group in set(small.groups.tolist())]
    assert whole.count(False) <= 1


@given(
    labels=st.lists(st.integers(0, 3), min_size=10, max_size=200),
    limit=st.one_of(st.none(), st.integers(2, 50)),
)
def test_a_holdout_keeps_the_shares_of_the_labels(labels: list[int], limit: int | None) -> None:
    split = split_of(labels)
    train, held = hold_out(split, limit)
    assert sorted(rows(train) + rows(held)) == list(range(len(labels)))
    assert len(held) == min(len(labels) // 5, limit or len(labels))
    for label in set(labels):
        share = labels.count(label) / len(labels)
        assert abs(np.sum(held.labels == label) - share * len(held)) < 1


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=60, max_size=80),
    bits=st.lists(st.integers(0, 1), min_size=320, max_size=320),
)
def test_a_holdout_never_parts_a_group(sizes: list[int], bits: list[int]) -> None:
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    split = split_of(bits[: len(groups)], groups)
    train, held = hold_out(split, None)
    assert train.groups is not None
    assert held.groups is not None
    assert set(train.groups.tolist()).isdisjoint(held.groups.tolist())
    assert sorted(rows(train) + rows(held)) == list(range(len(groups)))
    assert 2 <= len(held) <= len(groups) // 5


def test_a_holdout_of_a_regression_task_covers_the_scale_evenly() -> None:
    values = np.random.default_rng(1).uniform(0, 5, size=1000)
    _, held = hold_out(split_of(values.tolist(), dtype=np.float64), None)
    edges = np.quantile(values, np.linspace(0, 1, 11))
    assert np.histogram(held.labels, edges)[0].tolist() == [20] * 10


def test_a_holdout_of_equal_regression_labels() -> None:
    train, held = hold_out(split_of([2.5] * 10, dtype=np.float64), None)
    assert (len(train), len(held)) == (8, 2)


@pytest.mark.parametrize(("number", "limit", "held"), [(9, None, 1), (1, None, 0), (100, 1, 1)])
def test_fewer_than_two_rows(number: int, limit: int | None, held: int) -> None:
    with pytest.raises(RelevanceError, match=rf"would have {held} .*`gain_split=.dev.`\.$"):
        hold_out(split_of([0] * number), limit)


def test_groups_too_large_to_hold_out() -> None:
    with pytest.raises(RelevanceError, match=r"would have 0 .*`gain_split=.dev.`\.$"):
        hold_out(split_of([0, 1] * 10, [0] * 10 + [1] * 10), None)
