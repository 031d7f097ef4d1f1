"""Generated tasks: planted as they say, equal for equal seeds, and told apart by meaning alone."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from relevance.measures.vocabulary import task_vocabulary, vocabulary_overlap
from relevance.tasks.data import Split
from relevance.tasks.find import find_tasks
from relevance.tasks.generated import FAMILIES, PLANS, WORDS, generate_tasks, word_leanings
from relevance.tasks.load import load_split
from relevance.tasks.task import Task
from relevance.text.tokenizers import load_tokenizer


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Task, ...]:
    return find_tasks([str(generate_tasks(tmp_path_factory.mktemp("generated")))])


def words_of(split: Split) -> list[list[int]]:
    numbers = {word: number for number, word in enumerate(WORDS)}
    return [[numbers[w] for w in text.split() if w in numbers] for text in split.texts[0]]


def test_four_families_of_two_tasks(tasks: tuple[Task, ...]) -> None:
    assert [task.name for task in tasks] == [plan.name for plan in PLANS]
    assert [task.family for task in tasks] == [name for name in FAMILIES for _ in range(2)]


def test_sizes_and_balance(tasks: tuple[Task, ...]) -> None:
    for task in tasks:
        train, dev = (load_split(task, split, None) for split in ("train", "dev"))
        assert (len(train), len(dev)) == (1200, 300)
        assert 0.45 < train.labels.mean() < 0.55


def test_no_text_is_in_two_splits(tasks: tuple[Task, ...]) -> None:
    splits = [load_split(task, split, None) for task in tasks for split in ("train", "dev")]
    texts = [text for split in splits for text in split.texts[0]]
    assert len(set(texts)) == len(texts)


def test_the_label_is_what_most_words_lean_to(tasks: tuple[Task, ...]) -> None:
    leanings = word_leanings(0)
    for task in tasks:
        split = load_split(task, "dev", None)
        words = words_of(split)
        assert {len(row) for row in words} == {7}
        expected = [leanings[FAMILIES.index(task.family)][row].sum() > 0 for row in words]
        assert np.array_equal(split.labels, expected)


def test_properties_are_balanced_and_independent() -> None:
    leanings = word_leanings(3)
    assert set(leanings.ravel().tolist()) == {-1, 1}
    assert not leanings.sum(axis=1).any()
    for first, second in combinations(leanings, 2):
        assert first @ second == 0


def test_vocabularies_are_alike_where_the_wording_is(tasks: tuple[Task, ...]) -> None:
    word = load_tokenizer("word")
    vocabularies = [task_vocabulary(load_split(t, "train", None).texts, word) for t in tasks]
    overlap = vocabulary_overlap(vocabularies, tasks=tuple(task.name for task in tasks))
    wording = [plan.templates for plan in PLANS]
    for first, second in combinations(range(len(tasks)), 2):
        assert (overlap[first, second] == 1) == (wording[first] == wording[second])


def test_equal_seeds_give_equal_files(tmp_path: Path) -> None:
    def content(folder: str, seed: int) -> list[bytes]:
        generate_tasks(tmp_path / folder, train_rows=20, dev_rows=5, seed=seed)
        return [path.read_bytes() for path in sorted((tmp_path / folder).rglob("*.jsonl"))]

    assert content("a", 1) == content("b", 1)
    assert content("a", 1) != content("c", 2)


def test_fewer_families_leave_the_others_as_they_are(tmp_path: Path) -> None:
    few = find_tasks([str(generate_tasks(tmp_path / "few", families=2))])
    all_of_them = find_tasks([str(generate_tasks(tmp_path / "all"))])
    assert [task.family for task in few] == ["praise", "praise", "life", "life"]
    for one, other in zip(few, all_of_them, strict=False):
        prints = [load_split(task, "dev", None).fingerprint for task in (one, other)]
        assert prints[0] == prints[1]
