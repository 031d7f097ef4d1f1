"""Probing tasks written in SentEval's form."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from hmnet.pretraining.corpus import Corpus
from hmnet.probing.make import FROM_TEXT, FROM_TREES, make_tasks, task_names
from relevance.errors import RelevanceError

EWT = Path("/work/shared/data/ud_ewt")


def lines(file: Path) -> list[list[str]]:
    return [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def text(tmp_path: Path) -> Corpus:
    """Some hundred sentences, some of them twice, in several scripts, with empty lines."""
    file = tmp_path / "text.txt"
    plain = [f"The {n} dogs of the old man slept {'very ' * (n % 9)}well." for n in range(150)]
    other = [
        f"הכלב {n} ישן כל היום בבית הזה.\n\nWe saw {n} of them \N{DOG FACE} there!"
        for n in range(50)
    ]
    file.write_text("\n".join([*plain, *plain[:40], *other]), encoding="utf-8")
    return Corpus(file)


def test_each_sentence_stands_in_one_part_and_classes_in_all(text: Corpus, tmp_path: Path) -> None:
    made = make_tasks(["length", "bigram-shift"], tmp_path / "made", text=[text])
    assert [each.task for each in made] == ["sentence_length", "bigram_shift"]
    for each in made:
        found = lines(tmp_path / "made" / f"{each.task}.txt")
        assert {len(line) for line in found} == {3}
        sentences = [sentence for _, _, sentence in found]
        assert len(set(sentences)) == len(sentences)
        parts = Counter(part for part, _, _ in found)
        assert (parts["tr"], parts["va"], parts["te"]) == (each.train, each.dev, each.test)
        by_class = defaultdict(Counter)
        for part, label, _ in found:
            by_class[label][part] += 1
        assert len(by_class) == each.labels
        for counts in by_class.values():
            expected = max(1, counts.total() // 10) if counts.total() > 2 else 0
            assert counts["va"] == counts["te"] == expected
    sentences = " ".join(sentence for _, _, sentence in found)
    assert "\N{DOG FACE}" in sentences
    assert "הכלב" in sentences


def test_the_same_seed_gives_the_same_files(text: Corpus, tmp_path: Path) -> None:
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_tasks(["bigram_shift"], tmp_path / out, text=[text], seed=seed)
    a, b, c = ((tmp_path / out / "bigram_shift.txt").read_bytes() for out in "abc")
    assert a == b != c


def test_names_in_any_form() -> None:
    assert task_names(["Subject-Number", "tense", "subj_number"]) == ["subj_number", "past_present"]
    assert task_names(["all"]) == [*FROM_TEXT, *FROM_TREES]
    with pytest.raises(RelevanceError, match=r"Unknown probing task 'tree_depth'"):
        task_names(["tree_depth"])  # a dependency tree says nothing of SentEval's


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tense", "past_present can be told from gold trees alone"),
        ("word_content", "needs 1,000 words"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    name: str, expected: str, text: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(RelevanceError, match=expected):
        make_tasks(["length", name], tmp_path / "made", text=[text])
    assert not (tmp_path / "made").exists()


def test_a_folder_with_something_in_it_is_left_alone(text: Corpus, tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"exists. Give another `out`"):
        make_tasks(["length"], tmp_path, text=[text])


def test_too_little_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("One two three four five six.\nOne two three four five six.\n")
    with pytest.raises(RelevanceError, match="sentence_length: the sentences have 1 classes"):
        make_tasks(["length"], tmp_path / "made", text=[Corpus(file)])


@pytest.mark.process
@pytest.mark.skipif(not EWT.is_dir(), reason="needs the trees of English EWT")
def test_tasks_of_gold_trees(tmp_path: Path) -> None:
    dev = EWT / "en_ewt-ud-dev.conllu.gz"
    made = make_tasks(
        ["tense", "subject_number", "object_number", "dependency_depth", "length"],
        tmp_path / "made",
        conllu=[dev],
    )
    assert [each.labels for each in made] == [2, 2, 2, 7, 6]
    found = {
        each.task: {
            sentence[:20]: label for _, label, sentence in lines(tmp_path / f"made/{each.task}.txt")
        }
        for each in made
    }
    bush, sheikh = "President Bush on Tu", "The sheikh in wheel-"
    assert found["past_present"][bush] == "Past"  # nominated
    assert found["obj_number"][bush] == "Plur"  # individuals
    assert found["past_present"][sheikh] == "Pres"  # has been attacked
    assert found["subj_number"][sheikh] == "Sing"
    assert "He could be killed y" not in found["past_present"]
