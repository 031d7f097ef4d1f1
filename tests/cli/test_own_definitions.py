"""A run reads its rows as it was trained on them, whatever is said of its tasks later."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import done, on_tasks, refused


@dataclass(frozen=True)
class Trained:
    """A run on tasks whose definitions may change, and what it was trained with."""

    run: Path
    toml: Path
    options: list[str]

    def change(self, old: str, new: str) -> None:
        text = self.toml.read_text()
        assert old in text
        self.toml.write_text(text.replace(old, new, 1))


@pytest.fixture
def trained(quick: list[str], halves: tuple[Path, Path], tmp_path: Path) -> Trained:
    folder = shutil.copytree(halves[0].parent, tmp_path / "tasks")
    toml = folder / halves[0].name
    options = [*on_tasks(quick, toml), "--method", "single", "--max-steps-per-task", "4"]
    run = tmp_path / "run"
    done("hmnet", "train", *options, "--out", run)
    return Trained(run, toml, [*options, "--out", str(run)])


@pytest.mark.filterwarnings("default:task 'TONE'")  # as outside of tests, where it is a note
def test_labels_in_another_order(trained: Trained) -> None:
    before = done("hmnet", "evaluate", trained.run).out
    trained.change('labels = ["bad", "good"]', 'labels = ["good", "bad"]')
    after = done("hmnet", "evaluate", trained.run)
    assert after.out == before
    assert after.err.startswith("hmnet: note: task 'TONE': labels changed since ")
    (trained.run / "scores.csv").unlink()
    shutil.rmtree(trained.run / "model" / "same")
    assert refused("hmnet", "train", *trained.options, "--resume") == (
        f"{trained.run} was started with another definition of task 'TONE' (labels)."
        " Resume with the same one, or give another --out."
    )


def test_labels_that_no_longer_fit_the_rows(trained: Trained) -> None:
    """The rows' own labels were renamed with the definition: nothing is guessed."""
    trained.change('labels = ["bad", "good"]', 'labels = ["poor", "fine"]')
    for split in ("train", "dev"):
        path = trained.toml.parent / "tone" / f"{split}.csv"
        path.write_text(path.read_text().replace(",bad", ",poor").replace(",good", ",fine"))
    said = refused("hmnet", "evaluate", trained.run)
    assert said.startswith(f"task 'TONE': {trained.toml.parent}/tone/train.csv")
    assert "bad, good" in said


def test_a_task_that_is_gone(trained: Trained) -> None:
    trained.change('name = "TONE"', 'name = "VOICE"')
    assert refused("hmnet", "evaluate", trained.run) == (
        f"{trained.run}/config.toml: task 'TONE' is defined no longer in {trained.toml}, which says"
        " where its data is."
    )
