"""Runs of one name: which of them are seeds of one another."""

from pathlib import Path

from hmnet.analysis.seeds import notes_on_seeds
from hmnet.runs.folder import Run
from hmnet.settings.config import RunConfig

FIRST = RunConfig(tasks=("RTE",), name="x")


def run(**changed: object) -> Run:
    return Run(Path("run"), FIRST.model_copy(update=changed))


def test_what_decides_the_weights_keeps_runs_from_being_seeds() -> None:
    assert FIRST.differs_in(FIRST) == []
    free = {"seed": 3, "device": "cpu", "checkpoint_s": 9.0, "log_uncertainty": True}
    assert FIRST.differs_in(FIRST.model_copy(update=free)) == []
    other = FIRST.model_copy(update={"lr": 0.5, "epochs": 9, "data_dir": Path("elsewhere")})
    assert sorted(FIRST.differs_in(other)) == ["data_dir", "epochs", "lr"]
    assert sorted(other.differs_in(FIRST, free=["data_dir"])) == ["epochs", "lr"]


def test_runs_of_one_name_that_are_no_seeds_are_told() -> None:
    assert notes_on_seeds([run(), run(seed=1), run(seed=2, data_dir=Path("elsewhere"))]) == []
    (said,) = notes_on_seeds([run(), run(seed=1), run(seed=1, lr=0.5), run(name="y", epochs=9)])
    assert said.startswith("The 3 runs called 'x' differ in lr and have seed 1 more than once,")
