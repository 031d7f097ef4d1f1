"""Difficulty of data sets: one set by hand, and what holds for all."""

from math import log, sqrt

import numpy as np
import pytest

from relevance.errors import RelevanceError
from relevance.inspection.difficulty import Difficulty, difficulty, difficulty_of
from relevance.inspection.facts import SplitFacts, TaskFacts
from relevance.report.inspection import inspection_content, inspection_report
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue

TEXTS = ["Good film!", "good story", "good, good", "bad film"]
LABELS = [1, 1, 1, 0]


def test_a_set_of_four_rows_by_hand() -> None:
    # class 1: good 4, film 1, story 1; class 0: bad 1, film 1; none is a stop word
    found = difficulty(TEXTS, LABELS)
    assert found.diversity == pytest.approx(-(0.75 * log(0.75) + 0.25 * log(0.25)))
    assert found.imbalance == pytest.approx(0.5)
    assert found.similarity == pytest.approx(1 - sqrt(1 - sqrt(1 / 6 * 1 / 2)))
    assert found.variety == pytest.approx(4 / 8)
    first = -(4 / 6 * log(4 / 6) + 2 * 1 / 6 * log(1 / 6))
    beside = 2 / 8 * log((2 / 8) / (1 / 6 * 1 / 2))
    assert found.information == pytest.approx((first + log(2) + 2 * beside) / 4)
    assert found.total == pytest.approx(sum(found))


def test_classes_that_share_no_word_do_not_interfere() -> None:
    assert difficulty(["a b", "c d"], [0, 1]).similarity == 0
    assert difficulty(["x y", "y x"], [0, 1]).similarity == pytest.approx(1)


def test_order_and_names_of_rows_do_not_matter() -> None:
    turned = difficulty(TEXTS[::-1], ["n", "p", "p", "p"])
    assert turned == pytest.approx(difficulty(TEXTS, LABELS))


def test_texts_of_any_script_count() -> None:
    found = difficulty(["שלום עולם", "مرحبا", "🙂 שלום"], [0, 1, 1])
    assert found.variety == pytest.approx(3 / 4)


def test_check_says_it_of_training_rows() -> None:
    task = catalogue()["RTE"]
    hard = Difficulty(0.5, 0.25, 0.25, 0.5, 0.75)
    train = SplitFacts("RTE", "train", 4, None, 0, 0, 0, None, difficulty=hard)
    dev = SplitFacts("RTE", "dev", 4, None, 0, 0, 0, None)
    facts = TaskFacts((task,), (train, dev), (), None, 128)
    assert "(D2, higher is harder): RTE 2.25. A guide" in inspection_report(facts)
    first, other = inspection_content(facts)["splits"]
    assert (first["difficulty"]["total"], other["difficulty"]) == (2.25, None)
    without = TaskFacts((task,), (dev,), (), None, 128)
    assert "Difficulty" not in inspection_report(without)


def test_only_classification_has_one() -> None:
    split = Split((["a", "b"], ["c", "d"]), np.array([0, 1]))
    tasks = catalogue()
    assert difficulty_of(tasks["RTE"], split) is not None
    assert difficulty_of(tasks["STS-B"], Split(split.texts, np.array([0.0, 1.0]))) is None
    assert difficulty_of(tasks["RTE"], Split((["...", ""], ["", "!"]), np.array([0, 1]))) is None
    with pytest.raises(RelevanceError, match="two classes or more"):
        difficulty(["a"], [1])
