import json
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.matrices.matrix import load_matrix
from relevance.measures.measure import Inputs, measures
from relevance.measures.taxonomy import TREE, Taxonomy, family_relevance
from relevance.tasks.find import PAPER_TASKS, catalogue, find_tasks


def test_the_papers_four_families_come_out(paper_dir: Path) -> None:
    published = json.loads((paper_dir / "groups.json").read_text())["manual_taxonomy"]
    matrix = Taxonomy().measure(find_tasks(PAPER_TASKS))
    found = matrix.provenance["families"]
    assert {name: sorted(tasks) for name, tasks in found.items()} == {
        name: sorted(tasks) for name, tasks in published.items()
    }
    for tasks in published.values():
        inside = matrix.select(tasks)
        assert inside.values.tolist() == np.ones((len(tasks), len(tasks))).tolist()
    assert matrix.values.sum() == sum(len(tasks) ** 2 for tasks in published.values())


def test_a_matrix_survives_its_file(tmp_path: Path) -> None:
    matrix = Taxonomy(graded=True).measure(find_tasks(PAPER_TASKS))
    matrix.save(tmp_path / "taxonomy.json")
    loaded = load_matrix(tmp_path / "taxonomy.json")
    assert loaded == matrix
    assert loaded.provenance["graded"] is True


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("natural_language_inference", "natural_language_inference", 3),
        ("natural_language_inference", "similarity_and_paraphrase", 2),
        ("natural_language_inference", "question_answering", 1),
        ("natural_language_inference", "sentiment_classification", 0),
        ("my_own", "my_own", 3),
        ("my_own", "my_other", 0),
        ("my_own", "question_answering", 0),
    ],
)
def test_graded_values_are_the_levels_in_common(one: str, other: str, share: int) -> None:
    values = family_relevance([one, other], graded=True)
    np.testing.assert_allclose(values, [[1, share / 3], [share / 3, 1]])
    flat = family_relevance([one, other])
    assert flat.tolist() == [[1, one == other], [one == other, 1]]


@given(st.lists(st.sampled_from([*TREE, "my_own"]), min_size=1, max_size=8))
def test_grading_is_a_similarity_that_a_tree_has(families: list[str]) -> None:
    values = family_relevance(families, graded=True)
    assert (values == values.T).all()
    assert (np.diag(values) == 1).all()
    # of any three, the two smaller similarities are equal
    for one, two in combinations_with_replacement(range(len(families)), 2):
        assert (values[one, two] >= np.minimum(values[one], values[two])).all()
    assert ((values == 1) == (family_relevance(families) == 1)).all()


def test_the_tree_knows_every_family_of_the_catalogue() -> None:
    assert {task.family for task in catalogue().values()} <= set(TREE)


def test_it_is_found_by_name_and_built_from_inputs() -> None:
    kind = measures.find("taxonomy")
    tasks = find_tasks(["RTE", "MRPC"])
    assert kind.build(Inputs()).measure(tasks).values[0, 1] == 0
    assert kind.build(Inputs(graded=True)).measure(tasks).values[0, 1] == pytest.approx(2 / 3)


def test_a_family_that_the_tree_does_not_have_is_noted() -> None:
    tasks = find_tasks(["RTE", "CB"])
    tasks = (tasks[0], tasks[1].model_copy(update={"family": "my_own"}))
    assert "warnings" not in Taxonomy().measure(tasks).provenance
    (warning,) = Taxonomy(graded=True).measure(tasks).provenance["warnings"]
    assert warning.startswith("families that the tree of families does not have")
    assert "my_own" in warning
