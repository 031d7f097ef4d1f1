"""A run that is stopped at any moment at which it changes what is on the disk can be resumed.

While a run is trained, what a kill would leave is copied before every call that makes, renames or
removes anything below its parent folder; each copy is then resumed.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from hmnet.runs import fitting
from hmnet.runs import train as run_module
from hmnet.runs.begun import begun
from hmnet.runs.folder import load_run
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.training.hooks import checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.ranks import Ranks
from ranks import joined
from relevance.clustering.spec import ClusterSpec
from relevance.disk import files
from relevance.errors import RelevanceError

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"}
SPEC = ClusterSpec(clusters=(("TONE",), ("SAME",)))
DRAFT = re.compile(r"-([a-z0-9_]{8})\.tmp")

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
ONCE = ("load_backbone", "read_tokenizer", "check_reading", "load_task", "score_run")
SMALL = {"max_steps_per_task": 1, "epochs": 1, "max_train": 8, "max_dev": 4, "batch_size": 4}


class Moments:
    """Copies of a folder, one for each state that a kill could leave it in."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self.folder, self.copies = folder, copies
        self.found: list[Path] = []
        self._states: set[object] = set()
        self.on = False
        sys.addaudithook(self._hook)  # it stays until the process ends, but does nothing then

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take copies while the block runs."""
        self.on = True
        try:
            yield
        finally:
            self.on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and (event in CHANGES or (event == "open" and _writes(*arguments))):
            self.on = False
            self._copy(event)
            self.on = True

    def _copy(self, event: str) -> None:
        state = _state(self.folder)
        if state not in self._states:
            self._states.add(state)
            self.found.append(self.copies / f"{len(self.found):03d}-{event}")
            shutil.copytree(self.folder, self.found[-1])


def _state(folder: Path) -> tuple[object, ...]:
    """What there is in a folder; of an unfinished file or folder, whether something is in it."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        unfinished = DRAFT.search(name)
        if unfinished:
            name = name[: unfinished.end()].replace(unfinished[1], "")
            inside = path.name if path.name == ".lock" else "something"
            found[name] = {inside, *found.get(name, ())}
        elif path.is_file():
            found[name] = path.read_bytes()
    return tuple((name, str(sorted(c) if isinstance(c, set) else c)) for name, c in found.items())


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which gives again what it gave for arguments that look the same."""
    known: dict[str, Any] = {}

    def called(*arguments: Any, **named: Any) -> Any:
        key = re.sub(r"/moments/[^/]*/|/whole/", "/", repr((arguments, named)))
        if key not in known:
            known[key] = function(*arguments, **named)
        return known[key]

    return called


def _writes(_: object, mode: str | None, flags: int) -> bool:
    return bool(flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)) or mode in {"w", "a"}


def different(moments: list[Path]) -> list[Path]:
    """One moment for each call and each set of what there is, whatever is in it."""
    found: dict[object, Path] = {}
    for moment in moments:
        names = {DRAFT.sub("-.tmp", path.name) for path in (moment / "run").glob("*")}
        names |= {f"model/{path.name}" for path in (moment / "run" / "model").glob("[!.]*")}
        found.setdefault((moment.name.partition("-")[2], frozenset(names)), moment)
    return list(found.values())


def all_files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def weights(run: Path) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted((run / "model").rglob("*.safetensors")):
        place = file.parent.relative_to(run)
        found |= {f"{place}/{name}": tensor for name, tensor in load_file(file).items()}
    return found


def assert_as_unbroken(found: Path, expected: Path, moment: str) -> None:
    """The same files with nothing left over, the same weights and the same scores."""
    assert all_files(found) == all_files(expected), moment
    ours, theirs = weights(found / "run"), weights(expected / "run")
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items()), moment
    for name in ("scores.csv", "config.toml"):
        assert (found / "run" / name).read_text() == (expected / "run" / name).read_text(), moment


METHODS: dict[str, dict[str, Any]] = {
    "one model": {"method": "hmnet", "layers": (1, 1, 0), "checkpoint": "best"},
    "parts": {"method": "single"},
}


@pytest.fixture(scope="module")
def small(make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers."""
    return make_backbone("bert", tmp_path_factory.mktemp("small"), num_hidden_layers=2)


@pytest.fixture(scope="module")
def two_tasks(task_file: Path) -> Path:
    """TONE and SAME, the first two of the file."""
    two = task_file.with_name("two.toml")
    two.write_text(task_file.read_text().partition('[[task]]\nname = "GRADE"')[0])
    return two


@pytest.fixture
def quick(
    config: RunConfig, two_tasks: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> RunConfig:
    """A run of some tenths of a second: what each of many has to load is loaded once."""
    for name in ONCE:
        monkeypatch.setattr(run_module, name, _once(getattr(run_module, name)))
    return config.model_copy(update=SMALL | {"tasks": (str(two_tasks),), "backbone": str(small)})


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.process
def test_every_moment_can_be_resumed(quick: RunConfig, tmp_path: Path, name: str) -> None:
    config = quick.model_copy(update={"checkpoint_s": 1e-9} | METHODS[name])
    spec = SPEC if config.method.name == "hmnet" else None
    (tmp_path / "whole").mkdir()
    moments = Moments(tmp_path / "whole", tmp_path / "moments")
    with moments.watched():
        train_run(config, spec, tmp_path / "whole" / "run")
    assert len(moments.found) > 20
    for moment in moments.found if config.method.name == "hmnet" else different(moments.found):
        train_run(config, spec, moment / "run", resume=True)
        assert_as_unbroken(moment, tmp_path / "whole", moment.name)


@pytest.mark.parametrize("first", ["config.toml", "log.jsonl"])
def test_a_disk_that_is_full_from_the_start_leaves_no_folder(
    quick: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The settings, or a moment later the log, cannot be written."""

    def full(*_: Any, **__: Any) -> Any:
        error = OSError(28, "No space left on device")
        raise files.unwritable(Path(first), error) if first == "log.jsonl" else error

    places = {"config.toml": (Path, "replace"), "log.jsonl": (fitting, "open_log")}
    config = quick.model_copy(update={"method": "multi"})
    train_run(config, None, tmp_path / "before")  # what it reads is in memory afterwards
    monkeypatch.setattr(*places[first], full)
    with pytest.raises(RelevanceError, match="cannot be written: No space left on device"):
        train_run(config, None, tmp_path / "deep" / "run")
    assert not (tmp_path / "deep").exists()


def test_the_settings_are_those_of_who_has_the_folder(quick: RunConfig, tmp_path: Path) -> None:
    """Two that were both told that there is no such folder yet."""
    config = quick.model_copy(update={"method": "multi"})
    other = config.model_copy(update={"lr": 0.5})
    told: list[str] = []

    def meanwhile(event: Any) -> None:
        if not told and isinstance(event, Progress):
            with pytest.raises(RelevanceError) as error:
                begun_late.enter_context(begun(tmp_path / "run", other.to_toml))
            told.append(str(error.value))

    with ExitStack() as begun_late:
        train_run(config, None, tmp_path / "run", on_event=meanwhile)
    assert [line.partition(". ")[0] for line in told] == [
        f"{tmp_path / 'run'} is being trained by another process"
    ]
    assert load_run(tmp_path / "run").config.lr == config.lr
    assert [path.name for path in tmp_path.glob("*run*")] == ["run"]


@pytest.mark.heavy
def test_every_moment_of_two_processes_can_be_resumed(quick: RunConfig, tmp_path: Path) -> None:
    """The second process reads slowly, so that the main one is soon ahead of it."""
    config = quick.model_copy(update={"method": "multi", "checkpoint_s": 1e-9})
    (tmp_path / "whole").mkdir()

    def whole(ranks: Ranks) -> list[Path]:
        moments = Moments(tmp_path / "whole", tmp_path / "moments")
        with moments.watched() if ranks.is_main else nullcontext():
            train_run(config, None, tmp_path / "whole" / "run")
        return moments.found

    found, none = joined(whole)
    assert isinstance(found, list), found
    assert none == []
    chosen = different(found)
    assert len(chosen) > 20

    def resumed(ranks: Ranks) -> str:
        if not ranks.is_main:
            checkpoints.load_checkpoint = _slowly(checkpoints.load_checkpoint)
        for moment in chosen:
            train_run(config, None, moment / "run", resume=True)
        return "all"

    assert joined(resumed) == ["all", "all"]
    for moment in chosen:
        assert_as_unbroken(moment, tmp_path / "whole", moment.name)


def _slowly(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        time.sleep(0.1)
        return function(*arguments)

    return called
