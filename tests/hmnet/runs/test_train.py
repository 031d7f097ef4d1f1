"""The folder of a run: all of it from one command, whatever happens on the way."""

import io
import json
import multiprocessing
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from hmnet.analysis.curves import curves
from hmnet.comparison.compare import compare
from hmnet.runs.checked import check_run
from hmnet.runs.folder import Run, load_run, read_clusters, runs_under
from hmnet.runs.log import RunLog
from hmnet.runs.rows import read_run_scores, rows_digest
from hmnet.runs.score import score_run
from hmnet.runs.scores import as_rows, read_scores
from hmnet.runs.train import Note, train_run
from hmnet.settings.addition import Addition
from hmnet.settings.config import RunConfig
from hmnet.training import loop, state
from hmnet.training.checkpoint import save_checkpoint
from hmnet.training.hooks import checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.step import train_step
from relevance.choice import choose
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task

SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))
BRIEF = {"max_steps_per_task": 1, "epochs": 1}


class Clock:
    """Time that passes only where the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def ticking(self, act: Callable[..., Any], seconds: float = 1.0) -> Callable[..., Any]:
        """The same act, which takes a while."""

        def acted(*arguments: Any) -> Any:
            self.now += seconds
            return act(*arguments)

        return acted


def weights(out: Path) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted((out / "model").rglob("*.safetensors")):
        place = file.parent.relative_to(out)
        found |= {f"{place}/{name}": tensor for name, tensor in load_file(file).items()}
    return found


def assert_same_weights(one: Path, other: Path) -> None:
    expected = weights(other)
    assert weights(one).keys() == expected.keys()
    for name, weight in weights(one).items():
        assert torch.equal(weight, expected[name]), name


def counted(monkeypatch: pytest.MonkeyPatch, act: Callable[..., Any]) -> list[Any]:
    """First arguments of the calls of a function, from whatever module of ours it is called."""
    calls = []

    def acted(*arguments: Any, **others: Any) -> Any:
        calls.append(arguments[0])
        return act(*arguments, **others)

    for name, module in list(sys.modules.items()):
        if name.startswith(("hmnet", "relevance")) and vars(module).get(act.__name__) is act:
            monkeypatch.setattr(module, act.__name__, acted)
    return calls


def log_lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def with_method(config: RunConfig, method: str) -> tuple[RunConfig, ClusterSpec | None]:
    """Settings of a method; HMNet with as many layers of each level as four allow."""
    config = config.model_copy(update={"method": method})
    return config, SPEC if method == "hmnet" else None


@pytest.fixture(scope="module")
def whole(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder `unbroken` of a method's run by `config`; tests leave it as it is."""
    root = tmp_path_factory.mktemp("whole")

    def of(method: str) -> Path:
        out = root / method / "unbroken"
        if not out.exists():
            train_run(*with_method(config, method), out)
        return out

    return of


@pytest.mark.parametrize("method", ["hmnet", "multi", "single"])
def test_a_run_is_a_folder_that_needs_nothing_else(
    config: RunConfig, tmp_path: Path, method: str
) -> None:
    config, spec = with_method(config, method)
    events: list[Any] = []
    train_run(config, spec, tmp_path / "run", on_event=events.append)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    clusters = {"clusters.json"} if spec else set()
    expected = {"config.toml", "log.jsonl", "manifest.json", "model", "rows.json", "scores.csv"}
    assert names == expected | {"README.md", "training.json"} | clusters
    run = load_run(tmp_path / "run")
    assert [task.name for task in run.tasks] == ["TONE", "SAME", "GRADE"]
    assert len(run.data("TONE").train) == 37
    assert run.tokenizer("a dog")["input_ids"][0] == 2
    for task in run.tasks:
        assert task.name in run.model_for(task.name).tasks
    progress = [event for event in events if isinstance(event, Progress)]
    assert [event.step for event in progress] == list(range(1, 23))
    lines = log_lines(tmp_path / "run")
    assert [line["step"] for line in lines] == list(range(1, 23))
    assert set(lines[0]) == {"time", "task", "step", "loss", "rows", "lr", "steps_per_s"}


def test_a_run_is_scored_on_every_split_or_on_those_asked_for(
    whole: Callable[[str], Path],
) -> None:
    run = load_run(whole("multi"))
    written = read_run_scores(run.folder)
    found = {(score.task, score.split, score.metric) for score in written}
    assert found == {
        ("TONE", "dev", "accuracy"),
        ("TONE", "dev", "f1"),
        ("SAME", "dev", "accuracy"),
        ("SAME", "dev_other", "accuracy"),
        ("GRADE", "dev", "pearson"),
        ("GRADE", "dev", "spearman"),
    }
    assert {score.run for score in written} == {"multi", "majority"}
    rows = {(score.task, score.split): score.rows for score in written}
    assert rows == {
        (task.name, name): rows_digest(task, split)
        for task in run.tasks
        for name, split in run.data(task.name).evaluation.items()
    }
    scores = score_run(load_run(run.folder))
    assert as_rows(scores) == written
    assert {score.method for score in scores} == {"multi"}
    assert all(score.majority is not None for score in scores)
    dev = as_rows(score_run(run, splits=["dev"]))
    assert dev == [score for score in written if score.split == "dev"]
    other = as_rows(score_run(run, splits=["dev_other"]))
    assert other == [score for score in written if score.split == "dev_other"]
    with pytest.raises(RelevanceError) as error:
        score_run(run, splits=["dev_othr"])
    assert str(error.value) == (
        "Unknown split 'dev_othr'. Did you mean 'dev_other'? Known: dev, dev_other."
    )


@pytest.mark.parametrize(("max_dev", "told"), [(6, True), (None, False)])
def test_runs_scored_on_other_rows_say_so_side_by_side(
    config: RunConfig, tmp_path: Path, max_dev: int | None, *, told: bool
) -> None:
    short = config.model_copy(update=BRIEF)
    other = short.model_copy(update={"name": "other", "max_dev": max_dev})
    folders = [tmp_path / "run", tmp_path / "other"]
    for each, folder in zip((short, other), folders, strict=True):
        train_run(each, None, folder)
    found = compare([score for folder in folders for score in read_run_scores(folder)])
    assert ("other rows" in found.to_table("markdown")) is told


def test_single_trains_each_task_as_if_alone(config: RunConfig, tmp_path: Path) -> None:
    """From the pretrained weights, with its own optimizer, schedule and random numbers."""
    config, _ = with_method(config, "single")
    train_run(config, None, tmp_path / "run")
    tone = Path(config.tasks[0]).read_text().partition('[[task]]\nname = "SAME"')[0]
    alone = Path(config.tasks[0]).with_name("tone.toml")
    alone.write_text(tone)
    train_run(config.model_copy(update={"tasks": (str(alone),)}), None, tmp_path / "alone")
    expected = load_file(tmp_path / "alone" / "model" / "weights.safetensors")
    found = load_file(tmp_path / "run" / "model" / "tone" / "weights.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in found.items())


def train_slowly(config: RunConfig, out: Path) -> None:
    """A run that leaves time to kill it."""
    step = loop.train_step

    def slow(*arguments: Any) -> Any:
        time.sleep(0.1)
        return step(*arguments)

    loop.train_step = slow
    train_run(config, None, out, resume=True)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(("method", "kill_after"), [("multi", 14), ("single", 14)])
@pytest.mark.process
def test_killed_and_resumed_gives_the_same_weights(
    config: RunConfig, whole: Callable[[str], Path], tmp_path: Path, method: str, kill_after: int
) -> None:
    """A real SIGKILL, for `single` in the second task; then the same command again."""
    config, _ = with_method(config, method)
    config = config.model_copy(update={"checkpoint_s": 0.15})
    context = multiprocessing.get_context("fork")
    process = context.Process(target=train_slowly, args=(config, tmp_path / "run"))
    process.start()
    state = tmp_path / "run" / "checkpoint" / "state.json"
    overall = {"multi": 0, "single": 10}[method]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.is_alive():
        try:
            found = json.loads(state.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            found = {"part": 0, "step": 0}
        if found["part"] == (method == "single") and found["step"] + overall >= kill_after - 2:
            break
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "run" / "scores.csv").exists()
    seen: list[Any] = []
    train_run(config, None, tmp_path / "run", resume=True, on_event=seen.append)
    assert 11 < next(e.step for e in seen if isinstance(e, Progress)) <= 22
    assert_same_weights(tmp_path / "run", whole(method))
    scores = (whole(method) / "scores.csv").read_text().replace("unbroken", "run")
    assert (tmp_path / "run" / "scores.csv").read_text() == scores
    lines = log_lines(tmp_path / "run")
    assert [line["step"] for line in lines] == list(range(1, 23))


def test_ctrl_c_leaves_a_run_that_can_be_resumed(
    config: RunConfig,
    whole: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = iter(range(100))

    def step(*arguments: Any) -> torch.Tensor:
        if next(steps) == 7:
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        with pytest.raises(KeyboardInterrupt):
            train_run(config, None, tmp_path / "run")
    with pytest.raises(RelevanceError, match=r"is not finished\. Go on with"):
        load_run(tmp_path / "run")
    seen: list[Any] = []
    train_run(config, None, tmp_path / "run", resume=True, on_event=seen.append)
    assert next(e.step for e in seen if isinstance(e, Progress)) == 9
    assert_same_weights(tmp_path / "run", whole("multi"))


@pytest.mark.parametrize("method", ["multi", "single"])
def test_what_training_took_is_written_down_and_kept_right_over_a_resume(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The clock goes one second on with every step, and a hundred while a checkpoint is written."""
    clock = Clock()
    monkeypatch.setattr(state, "time", clock)
    monkeypatch.setattr(loop, "train_step", clock.ticking(train_step))
    monkeypatch.setattr(checkpoints, "save_checkpoint", clock.ticking(save_checkpoint, 100.0))
    config, _ = with_method(config, method)

    def stop(event: Any) -> None:
        if isinstance(event, Progress) and event.step >= 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_run(config, None, tmp_path / "run", on_event=stop)
    run = train_run(config, None, tmp_path / "run", resume=True)
    rows = 2 * (37 + 20 + 24)
    assert run.timing() == (22.0, rows)
    assert run.timing().examples_per_s == rows / 22
    (tmp_path / "run" / "training.json").unlink()
    assert run.timing() is None


def test_a_finished_run_says_so(whole: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(whole("multi"), tmp_path / "run")
    before = (tmp_path / "run" / "scores.csv").stat().st_mtime_ns
    seen: list[Any] = []
    train_run(
        load_run(tmp_path / "run").config, None, tmp_path / "run", resume=True, on_event=seen.append
    )
    assert seen == [Note(f"{tmp_path / 'run'} is finished: every part is trained and scored.")]
    assert (tmp_path / "run" / "scores.csv").stat().st_mtime_ns == before


def test_a_finished_run_says_what_has_changed_since(config: RunConfig, tmp_path: Path) -> None:
    config = config.model_copy(update={"sampler": "uncertainty", "max_steps_per_task": 1})
    run = train_run(config, None, tmp_path / "run")
    records = run.folder / "training.json"
    content = json.loads(records.read_text())
    assert content["parts"][0].pop("versions") == {"sampler uncertainty": 3}
    records.write_text(json.dumps(content))
    (run.folder / "manifest.json").unlink()  # older runs have none
    seen: list[Any] = []
    train_run(config, None, run.folder, resume=True, on_event=seen.append)
    (note,) = seen
    assert note.text.partition("scored.")[2] == (
        " It was trained by version 2 of sampler uncertainty, which is now at version 3 and takes"
        " other steps."
    )


def test_an_existing_folder_needs_resume_and_the_same_settings(
    config: RunConfig, tmp_path: Path
) -> None:
    out = tmp_path / "run"

    def message(config: RunConfig, spec: ClusterSpec | None = SPEC, resume: bool = True) -> str:
        with pytest.raises(RelevanceError) as error:
            train_run(config, spec, out, resume=resume)
        return str(error.value)

    config = config.model_copy(update={"method": "hmnet", "max_steps_per_task": 1})
    train_run(config, SPEC, out)
    assert message(config, resume=False) == (
        f"{out} exists. Go on with the run in it with `resume=True`, or give another `out`."
    )
    assert message(config.model_copy(update={"epochs": 9})) == (
        f"{out} was started with epochs = 2, not 9."
        " Resume with the same settings, or give another `out`."
    )
    assert message(config, ClusterSpec(clusters=(("TONE",), ("GRADE", "SAME")))) == (
        f"{out} was started with other clusters ({out / 'clusters.json'})."
        " Resume with the same ones, or give another `out`."
    )
    (out / "config.toml").unlink()
    assert message(config) == f"{out} is no run: it has no config.toml. Give another `out`."


def test_a_flipped_byte_of_the_results_is_told(config: RunConfig, tmp_path: Path) -> None:
    config = config.model_copy(update=BRIEF | {"method": "hmnet", "layers": (1, 2, 1)})
    run = train_run(config, SPEC, tmp_path / "run")
    for name, read in {
        "scores.csv": lambda: read_scores(run.folder / "scores.csv"),
        "rows.json": lambda: read_run_scores(run.folder),
        "training.json": run.timing,
        "log.jsonl": lambda: curves(run),
        "clusters.json": lambda: read_clusters(run.folder),
    }.items():
        path = run.folder / name
        content = path.read_bytes()
        read()
        path.write_bytes(content.replace(b"0", b"1", 1).replace(b"SAME", b"SAMF"))
        with pytest.raises(RelevanceError) as error:
            read()
        assert str(error.value).startswith(f"{path} is damaged: it is not what was written")
        path.write_bytes(content)
    path.write_bytes(content.replace(b"SAME", b"SAMF"))
    with pytest.raises(RelevanceError, match=r"clusters\.json is damaged"):
        check_run(config, None, run.folder, resume=True)


def test_edited_settings_are_noted_and_used(config: RunConfig, tmp_path: Path) -> None:
    """They say where data is, so people change them."""
    run = train_run(config.model_copy(update=BRIEF), None, tmp_path / "run")
    assert load_run(run.folder).config == run.config
    run.config.model_copy(update={"data_dir": tmp_path}).to_toml(run.folder / "config.toml")
    with pytest.warns(UserWarning, match=r"config\.toml is not what training wrote, as manifest"):
        assert load_run(run.folder).config.data_dir == tmp_path


@pytest.mark.parametrize("method", ["multi", "single"])
def test_a_flipped_byte_of_a_model_is_told_and_an_old_run_noted(
    config: RunConfig, tmp_path: Path, method: str
) -> None:
    config = config.model_copy(update=BRIEF | {"method": method})
    run = train_run(config, None, tmp_path / "run")
    (tone, *_) = run.blueprints
    for path in tone.iterdir():
        content = path.read_bytes()
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        with pytest.raises(RelevanceError, match=path.name):
            Run(run.folder, config).model_for("TONE")
        with pytest.raises(RelevanceError, match=path.name):
            _ = Run(run.folder, config).tokenizer
        path.write_bytes(content)
    assert load_run(run.folder).model_for("TONE").tasks
    for manifest in run.folder.rglob("manifest.json"):
        manifest.unlink()
    with pytest.warns(UserWarning, match=r"has no manifest\.json, as runs of older versions"):
        assert load_run(run.folder).model_for("TONE").tasks


def test_nothing_is_written_when_the_data_is_wrong(config: RunConfig, tmp_path: Path) -> None:
    broken = tmp_path / "tasks.toml"
    broken.write_text(Path(config.tasks[0]).read_text())
    with pytest.raises(RelevanceError, match="no such file"):
        train_run(config.model_copy(update={"tasks": (str(broken),)}), None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m", "x" * 201])
def test_names_that_cannot_be_shown_are_refused(
    config: RunConfig, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RelevanceError, match=r"^`name` "):
        check_run(config.model_copy(update={"name": name}), SPEC, tmp_path / "run")
    with pytest.raises(RelevanceError, match=r"^`name` "):
        Addition(tasks=("cb",), name=name).label("run", ["CB"])


def test_nothing_is_written_when_inputs_are_too_long(config: RunConfig, tmp_path: Path) -> None:
    long = config.model_copy(update={"max_length": 500})
    with pytest.raises(RelevanceError, match=r"^`max_length=500` is more than the backbone's 130"):
        train_run(long, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_full_disk_ends_the_log_in_one_line() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(RelevanceError) as error:
        RunLog(Path("run/log.jsonl"), Full()).step(Progress("TONE", 1, 2, 0.5, 1e-3, 4.0))
    assert str(error.value) == "run/log.jsonl cannot be written: No space left on device."


def test_ignored_arguments_are_noted(config: RunConfig, tmp_path: Path) -> None:
    seen: list[Any] = []
    train_run(config.model_copy(update=BRIEF), SPEC, tmp_path / "run", on_event=seen.append)
    assert Note("Method 'multi' ignores `clusters`.") in seen
    assert not (tmp_path / "run" / "clusters.json").exists()


def test_a_folder_that_cannot_be_written_is_one_line(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RelevanceError) as error:
        train_run(config, None, tmp_path / "file" / "run")
    assert str(error.value).endswith("cannot be written: Not a directory.")


def test_a_run_is_found_alone_and_among_seeds(tmp_path: Path) -> None:
    for seed in (10, 2):
        (tmp_path / "runs" / f"seed-{seed}").mkdir(parents=True)
        (tmp_path / "runs" / f"seed-{seed}" / "config.toml").write_text("")
    seeds = runs_under(tmp_path / "runs")
    assert [run.name for run in seeds] == ["seed-2", "seed-10"]
    assert runs_under(seeds[0]) == [seeds[0]]
    with pytest.raises(RelevanceError) as error:
        runs_under(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} holds no run: neither config.toml nor seed-0/."
        " Give a folder that `hmnet train` wrote."
    )
    with pytest.raises(RelevanceError, match=r"is no run: it has no config\.toml"):
        load_run(tmp_path)


def test_tasks_are_found_and_their_rows_read_once(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are values by then, so that no text of theirs is read either."""
    found, loaded, chosen = (counted(monkeypatch, act) for act in (find_tasks, load_task, choose))
    train_run(config.model_copy(update=BRIEF), None, tmp_path / "run")
    assert [list(names) for names in found] == [list(config.tasks)]
    assert sorted(task.name for task in loaded) == ["GRADE", "SAME", "TONE"]
    assert not chosen
