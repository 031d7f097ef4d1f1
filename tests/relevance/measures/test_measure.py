"""`measure` fills a matrix by name, and takes inputs as they are."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.measures.measure import Inputs, measure
from relevance.measures.vocabulary import Vocabulary
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.task import Task
from relevance.text.tokenizers import WordTokenizer


@dataclass(frozen=True)
class Helped:
    """Everything is a tenth better in company."""

    fingerprint: str = "helped"

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        return {task: Result({"accuracy": 0.5 + 0.05 * (len(tasks) - 1)}, 0.5) for task in tasks}


@pytest.fixture
def tasks(tmp_path: Path) -> tuple[Task, ...]:
    for name, word in (("ONE", "good"), ("TWO", "dull")):
        (tmp_path / name.lower()).mkdir()
        rows = "\n".join(f"a {word} film {number},{number % 2}" for number in range(20))
        for split in ("train", "dev"):
            (tmp_path / name.lower() / f"{split}.csv").write_text(f"sentence,label\n{rows}\n")
    file = tmp_path / "own.toml"
    file.write_text(
        "".join(
            f'[[task]]\nname = "{name}"\nfamily = "f"\nkind = "classification"\n'
            'text = ["sentence"]\nlabels = ["no", "yes"]\nmetrics = ["accuracy"]\n'
            for name in ("ONE", "TWO")
        )
    )
    return find_tasks([str(file)])


def test_it_is_the_measure_of_that_name(tasks: tuple[Task, ...], tmp_path: Path) -> None:
    data = DataOptions(tmp_path)
    matrix = measure("vocabulary", tasks, tokenizer="word", data=data)
    direct = Vocabulary(WordTokenizer(), data).measure(tasks)
    assert (matrix.values == direct.values).all()
    assert matrix.values[0, 1] == pytest.approx(22 / 23)  # all words but one


def test_a_trainer_is_given_itself(tasks: tuple[Task, ...], tmp_path: Path) -> None:
    inputs = Inputs(data=DataOptions(tmp_path), single_seeds=1)
    matrix = measure("joint-training", tasks, inputs, trainer=Helped())
    assert matrix.values[0, 1] == pytest.approx(0.1)
    assert matrix.values[1, 0] == pytest.approx(0.1)


def test_unknown_measures_and_inputs_are_named(tasks: tuple[Task, ...]) -> None:
    with pytest.raises(RelevanceError, match=r"Unknown measure 'vocab'. Did you mean 'vocabulary'"):
        measure("vocab", tasks)
    with pytest.raises(RelevanceError, match=r"input of a measure 'tokeniser'. Did you mean 'tok"):
        measure("vocabulary", tasks, tokeniser="word")
    with pytest.raises(RelevanceError, match="'joint-training' needs a trainer"):
        measure("joint-training", tasks)
