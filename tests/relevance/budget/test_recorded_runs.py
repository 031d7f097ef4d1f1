"""Scripts on recorded runs: a broken file ends them with one line and exit status 2."""

import runpy
import sys
from itertools import permutations
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
STUDY = BENCHMARKS / "studies" / "reference"
TASKS = ("SNLI", "RTE", "QQP", "MRPC", "STS-B", "SST-2", "CoLA", "QNLI")
HEADER = "task,partner,seed,metric,score"
TABLE = "measure,seeds,metric,spearman_within,cost_share\nlogme,2,gain,0.1,0.2\n"

READERS = {
    "gains.py": ["{runs}", "{out}/gains.json"],
    "estimators.py": ["{data}", "{out}", "--runs", "{runs}", "--show"],
    "figure.py": ["{runs}", "{out}/gains.png", "--table", "{table}"],
    "runs.py": ["{data}", "{out}", "--runs", "{runs}"],
    "replay.py": ["--runs", "{runs}", "--metric", "gain"],
    "stability.py": ["{runs}", "--metric", "gain"],
    "model.py": ["--sets", "0", "--runs", "{runs}", "--metric", "gain"],
    "joint_noise.py": ["{runs}"],
}
BROKEN = {
    "empty": ("", "is empty"),
    "no rows": (f"{HEADER}\n", "has no rows"),
    "no seeds": ("task,partner,metric,score\nA,B,gain,0.5\n", "column 'seed' is not in"),
    "no score": (f"{HEADER}\nA,B,0,gain,high\n", "row 2: column 'score' should be a finite number"),
    "no table": (f"{HEADER}\nA,B,0\n", "csv"),
}


def study(*, tasks: tuple[str, ...] = TASKS, seeds: int = 2) -> list[str]:
    """Rows of a study that is whole."""
    return [
        f"{task},{partner},{seed},{metric},0.5{seed}"
        for seed in range(seeds)
        for metric in ("gain", "primary", "loss")
        for partner, task in [*(("", task) for task in tasks), *permutations(tasks, 2)]
    ]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`told(script, runs)`: the line that a script says of a file of runs, its name left out."""

    def run(script: str, runs: str | None, table: str = TABLE) -> str:
        places = {name: tmp_path / f"{name} ü" for name in ("data", "out")}
        places |= {name: tmp_path / f"my {name}.csv" for name in ("runs", "table")}
        places["table"].write_text(table)
        if runs is not None:
            places["runs"].write_text(runs)
        folder = STUDY if (STUDY / script).is_file() else BENCHMARKS
        given = [argument.format(**places) for argument in READERS[script]]
        monkeypatch.setattr(sys, "argv", [script, *given])
        monkeypatch.syspath_prepend(str(folder))
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(folder / script), run_name="__main__")
        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line.removeprefix(f"{script}: ")

    return run


@pytest.mark.parametrize("script", READERS)
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_of_runs(told, script: str, fault: str) -> None:
    runs, words = BROKEN[fault]
    assert words in told(script, runs)


@pytest.mark.parametrize("script", sorted(READERS.keys() - {"runs.py"}))
def test_no_file_of_runs(told, script: str) -> None:
    assert told(script, None).endswith("my runs.csv: no such file.")


@pytest.mark.parametrize("script", ["replay.py", "stability.py", "model.py", "joint_noise.py"])
def test_one_seed_and_two_tasks(told, script: str) -> None:
    assert "has 1 seed. Expected two at least" in told(script, "\n".join([HEADER, *study(seeds=1)]))
    two = "\n".join([HEADER, *study(tasks=("A", "B"))])
    assert "2 tasks" in told(script, two)


@pytest.mark.parametrize("script", ["gains.py", "estimators.py", "figure.py"])
def test_a_study_with_a_gap(told, script: str) -> None:
    rows = study()
    without = [row for row in rows if not row.startswith("RTE,SNLI,1,loss")]
    assert "lacks 1 scores by 'loss'; the first is that of 'RTE' with 'SNLI', seed 1." in told(
        script, "\n".join([HEADER, *without])
    )
    alone = [row for row in rows if not row.startswith("RTE,,0,gain")]
    assert "that of 'RTE' alone, seed 0." in told(script, "\n".join([HEADER, *alone]))
    assert "both have a score of 'CoLA' with 'QNLI'" in told(
        script, "\n".join([HEADER, *rows, rows[-1]])
    )


@pytest.mark.parametrize("script", ["estimators.py", "figure.py"])
def test_a_study_without_a_task(told, script: str) -> None:
    found = told(script, "\n".join([HEADER, *study(tasks=TASKS[1:])]))
    assert "has no runs of SNLI. Expected SNLI, RTE" in found


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "is empty"),
        (TABLE.replace("measure", "name"), "column 'measure' is not in"),
        (TABLE.replace("0.1", "much"), "column 'spearman_within' holds 'much', no number"),
        (TABLE.replace(",2,", ",6,"), "is not of 2 seeds by 'gain'"),
    ],
)
def test_a_broken_table_of_the_figure(told, table: str, words: str) -> None:
    assert words in told("figure.py", "\n".join([HEADER, *study()]), table)
