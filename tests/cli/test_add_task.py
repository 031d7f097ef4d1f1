"""`hmnet add-task`: a run with new tasks, on which every other command works."""

import json
import shutil
from pathlib import Path

import pytest

from altering import rewritten
from commands import done, refused
from hmnet.runs.folder import load_run
from hmnet.runs.scores import read_scores
from toys import table

QUICK = ("--epochs", 1, "--max-steps-per-task", 1)


@pytest.fixture(scope="module")
def mood(tasks: Path) -> Path:
    """A new task, whose rows are TONE's."""
    path = tasks.with_name("mood.toml")
    mood = {"family": "sentiment", "labels": ("bad", "good")}
    path.write_text(table("MOOD", "tone/train.csv", "tone/dev.csv", **mood))
    return path


@pytest.fixture
def larger(trained: Path, mood: Path, tmp_path: Path) -> Path:
    """The run with the new task."""
    done("hmnet", "add-task", trained, "--tasks", mood, *QUICK, "--out", tmp_path / "run2")
    return tmp_path / "run2"


def test_all_commands_work_on_the_new_run(larger: Path, trained: Path, tmp_path: Path) -> None:
    shown = done("hmnet", "evaluate", larger).out
    assert all(task in shown for task in ("TONE", "SAME", "GRADE", "FACT", "MOOD"))
    line = json.dumps({"text": ["a great film"]}).encode()
    answers = done("hmnet", "predict", larger, "--task", "all", "--input", "-", stdin=line).out
    before = done("hmnet", "predict", trained, "--task", "all", "--input", "-", stdin=line).out
    assert answers.startswith(before)  # every digit of it
    assert json.loads(answers.splitlines()[-1])["task"] == "MOOD"
    done("hmnet", "export", larger, "--task", "MOOD", "--out", tmp_path / "mood")
    table = done("hmnet", "compare", trained, larger).out
    assert "hmnet+MOOD" in table


def test_scores_stand_beside_the_majority_class(trained: Path, mood: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    options = ("--init", "TONE", "--fraction", 0, "--name", "zero")
    outcome = done("hmnet", "add-task", trained, "--tasks", mood, *options, "--out", out)
    assert "majority class" in outcome.out
    assert "zero" in outcome.out
    assert "TONE" not in outcome.out
    assert "MOOD joins TONE, GRADE in cluster 0 and starts as TONE." in outcome.err
    assert "MOOD is trained on 0 of 40 rows." in outcome.err
    values = {
        (score.task, score.metric): score.value
        for score in read_scores(out / "scores.csv")
        if score.run == "zero"
    }
    assert values["MOOD", "accuracy"] == values["TONE", "accuracy"]  # the same rows and labels


def test_every_seed_of_a_run(trained: Path, mood: Path, tmp_path: Path) -> None:
    for seed in range(2):
        run = shutil.copytree(trained, tmp_path / "runs" / f"seed-{seed}")
        text = (run / "config.toml").read_text()
        rewritten(run / "config.toml", text.replace("\nseed = 0", f"\nseed = {seed}"))
    options = ("--init", "random", "--cluster", 0, *QUICK)
    shown = done(
        *("hmnet", "add-task", tmp_path / "runs", "--tasks", mood, *options),
        *("--out", tmp_path / "runs2"),
    ).out
    assert "±" in shown
    assert {path.name for path in (tmp_path / "runs2").iterdir()} == {"seed-0", "seed-1"}


def test_a_task_of_the_catalogue_from_another_folder(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found again when the run is asked, whatever the working directory."""
    monkeypatch.chdir(tmp_path)
    for split, rows in (("train", 40), ("dev", 12)):
        lines = [json.dumps({"sentence": f"a film {n}", "label": n % 2}) for n in range(rows)]
        path = tmp_path / "data" / "sst2" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))
    options = ["--data-dir", "data", "--max-train", 20, "--init", "random", *QUICK]
    said = done(
        *("hmnet", "add-task", trained, "--tasks", "sst-2", *options),
        *("--fraction", 0.9, "--cluster", 0, "--out", "larger"),
    )
    assert "SST-2 is trained on 18 of 20 rows." in said.err
    monkeypatch.chdir("/")
    run = load_run(tmp_path / "larger")
    assert len(run.data("SST-2").train) == 40
    assert run.config.label == "hmnet+SST-2 as random 90%"
    assert "SST-2" in done("hmnet", "evaluate", tmp_path / "larger").out
    message = refused(
        *("hmnet", "add-task", trained, "--tasks", "CB", "--data-dir", tmp_path / "data"),
        *("--out", tmp_path / "none"),
    )
    assert message.startswith(f"task 'CB': {tmp_path}/data/cb has no train.parquet")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--init", "MOODY"], "Unknown --init 'MOODY'. Known: FACT, GRADE, SAME, TONE, average,"),
        (["--cluster", "7"], "--cluster 7: the run has 2 clusters, numbered from 0."),
        (["--fraction", "2"], "Invalid value for '--fraction': Input should be less"),
        (["--relevance", "no.json"], "no.json: no such file"),
    ],
)
def test_refused(
    trained: Path, mood: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "run2"
    said = refused("hmnet", "add-task", trained, "--tasks", mood, *options, "--out", out)
    assert said.startswith(message)
    assert not out.exists()


def test_settings_that_the_run_has_settled(trained: Path, mood: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("freeze = 'all'")
    out = tmp_path / "run2"
    assert (
        refused("hmnet", "add-task", trained, "--tasks", mood, "--config", config, "--out", out)
        == "--freeze is the run's own and cannot be changed when tasks are added. Leave it out."
    )
    assert not out.exists()


def test_an_out_that_exists(trained: Path, mood: Path) -> None:
    said = refused("hmnet", "add-task", trained, "--tasks", mood, "--out", trained)
    assert said == (
        f"{trained} exists. Go on with what is in it with --resume, or give another --out."
    )
