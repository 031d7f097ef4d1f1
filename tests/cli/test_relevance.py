"""From task files to gains, groups and figures, as a user asks for them."""

import csv
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import done, on_tasks, refused, run
from relevance.clustering.spec import ClusterSpec
from relevance.jobs.attempts import Outcome
from relevance.jobs.workers import Worker
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.measures.joint_training import JointTraining

NAMES = ["TONE", "SAME", "GRADE", "FACT"]
WORD = ("--tokenizer", "word")
ENTRY = "import sys; from cli.relevance import main; sys.exit(main())"


def start(options: list[str], out: Path, cache: Path) -> "subprocess.Popen[str]":
    """A study as a process of its own, with one worker, as each takes seconds to start."""
    command = [sys.executable, "-c", ENTRY, "pairwise", *options, "--jobs", "1", "--out", str(out)]
    # threads that wait for a core and spin would keep the other study from it
    environment = os.environ | {"RELEVANCE_CACHE": str(cache), "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def results(cache: Path) -> set[Path]:
    return set(cache.glob("jobs/*/result.json"))


def wait_for(count: int, cache: Path, is_alive: Callable[[], bool]) -> None:
    """Let a study go on until it has so many results."""
    until = time.monotonic() + 300
    while len(results(cache)) < count and is_alive():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_the_catalogue() -> None:
    rows = list(csv.DictReader(io.StringIO(done("relevance", "tasks", "--format", "csv").out)))
    assert [row["task"] for row in rows[:3]] == ["MNLI", "QNLI", "RTE"]
    assert {"CoLA", "SST-5", "SciTail"} <= {row["task"] for row in rows}


def test_sizes(tasks: Path) -> None:
    out = done("relevance", "tasks", "--stats", "--tasks", tasks, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["task"], row["train"], row["dev"]) for row in rows] == [
        (name, "40", "12") for name in NAMES
    ]


def test_rows_are_prepared_whatever_limit_is_given(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relevance.prepare_task", lambda *_: [], raising=False)
    limited = done("relevance", "prepare", "--tasks", tasks, "--data-dir", tmp_path, "--max-dev", 3)
    assert limited.err == "relevance: note: --max-dev not used: all rows are kept.\n"


def test_a_result_goes_to_stdout_or_to_a_file(tasks: Path, tmp_path: Path) -> None:
    options = ["relevance", "vocab", *WORD, "--tasks", tasks]
    shown = done(*map(str, options))
    assert shown.err == ""
    written = done(*map(str, options), "--out", tmp_path / "new" / "vocab.json")
    assert written.out == ""
    assert written.err == f"wrote {tmp_path}/new/vocab.json\n"
    one, other = json.loads(shown.out), json.loads((tmp_path / "new" / "vocab.json").read_text())
    assert one["schema"] == "relevance.matrix/1"
    assert one["tasks"] == NAMES
    assert one["values"] == other["values"]


def test_a_measure_by_its_name_is_the_command_of_that_measure(tasks: Path) -> None:
    for name, short in (("vocabulary", ["vocab", *WORD]), ("taxonomy", ["taxonomy"])):
        by_name = done("relevance", "estimate", name, *WORD, "--tasks", tasks).out
        direct = done("relevance", *short, "--tasks", tasks).out
        assert json.loads(by_name)["values"] == json.loads(direct)["values"]


def test_a_heat_map_beside_the_matrix(tasks: Path, tmp_path: Path) -> None:
    figure = tmp_path / "vocab.png"
    done("relevance", "vocab", *WORD, "--tasks", tasks, "--heatmap", figure)
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_taxonomy_groups_itself(tasks: Path, tmp_path: Path) -> None:
    done("relevance", "taxonomy", "--tasks", tasks, "--out", tmp_path / "t.json")
    outcome = done("relevance", "cluster", tmp_path / "t.json", "--out", tmp_path / "c.json")
    assert outcome.out == "sentiment: TONE, GRADE\npairs: SAME, FACT\n"
    written = json.loads((tmp_path / "c.json").read_text())
    assert written["clusters"] == [["TONE", "GRADE"], ["SAME", "FACT"]]
    assert written["matrix"]["file"] == str(tmp_path / "t.json")


def test_groups_of_the_papers_table() -> None:
    outcome = done("relevance", "cluster", "paper:table3", "--k", 3)
    assert json.loads(outcome.out)["inertia"] == pytest.approx(0.1888, abs=5e-5)
    assert "inertia: 0.1888\ndeciding columns: " in outcome.err


class TestPairwise:
    def test_gains(self, study: Any) -> None:
        matrix = load_matrix(study.out)
        assert list(matrix.tasks) == NAMES
        assert matrix.measure == "joint-training"
        assert np.isfinite(matrix.values).all()
        assert (np.diag(matrix.values) == 0).all()
        assert matrix.standard_errors is not None
        assert np.isfinite(matrix.standard_errors).all()
        assert len(results(study.cache)) == 4 + 6

    @pytest.mark.usefixtures("_no_workers")
    def test_the_same_command_again_runs_nothing(self, study: Any, tmp_path: Path) -> None:
        again = tmp_path / "again.json"
        outcome = done("relevance", "pairwise", *study.options, "--out", again)
        assert "10 of 10 jobs done (10 cached), 0 running, 0 failed\n" in outcome.err
        np.testing.assert_array_equal(load_matrix(again).values, load_matrix(study.out).values)

    @pytest.mark.usefixtures("_no_workers")
    def test_another_metric_runs_nothing(self, study: Any) -> None:
        options = [*study.options, "--metric", "loss", "--normalise", "relative"]
        by_loss = json.loads(done("relevance", "pairwise", *options).out)
        assert by_loss["values"] != load_matrix(study.out).values.tolist()

    def test_the_papers_protocol_beside_the_default_one(
        self, quick: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[dict[str, Any]] = []

        def measure(self: JointTraining, found: Any) -> RelevanceMatrix:
            inputs = self.inputs
            asked.append(
                {
                    "metric": inputs.metric,
                    "split": inputs.gain_split,
                    "trainer": self.make_trainer().gain_split,
                    "single": inputs.single_seeds,
                }
            )
            names = tuple(task.name for task in found)
            return RelevanceMatrix(np.zeros((len(names),) * 2), names, "joint-training")

        monkeypatch.setattr(JointTraining, "measure", measure)
        for more in ([], ["--paper"], ["--paper", "--metric", "primary", "--single-seeds", 5]):
            done("relevance", "pairwise", *quick, "--seeds", "3,4", *more)
        default = {"metric": "gain", "split": "holdout", "trainer": "holdout", "single": None}
        paper = {"metric": "gain", "split": "dev", "trainer": "dev", "single": 2}
        assert asked == [default, paper, {**paper, "metric": "primary", "single": 5}]

    def test_a_dry_run_says_what_is_missing(self, study: Any) -> None:
        missing, *_ = sorted(results(study.cache))
        missing.unlink()
        before = results(study.cache)
        outcome = done("relevance", "pairwise", *study.options, "--dry-run")
        lines = outcome.out.splitlines()
        assert sum(line.startswith("cached   ") for line in lines) == 9
        assert sum(line.startswith("to run   ") for line in lines) == 1
        assert re.fullmatch(r"time     by number of workers, .*: 1: \d+ s, 2: .*", lines[-4])
        assert re.fullmatch(r"memory   of each worker: \d+\.\d [MG]B", lines[-3])
        assert re.fullmatch(r"disk     for the results: \d+\.\d MB", lines[-2])
        assert lines[-1].startswith("1 jobs to run, 9 cached; time: about ")
        assert results(study.cache) == before

    @pytest.mark.usefixtures("_inline")
    def test_within_a_budget(self, study: Any, tmp_path: Path) -> None:
        """Half of the six pairs, both directions of each; the rest is null, and nothing is new."""
        before, out = results(study.cache), tmp_path / "some.json"
        given = [*study.options, "--budget", "50%", "--for", "sources"]
        shown = done("relevance", "pairwise", *given, "--dry-run").out.splitlines()
        assert shown[-1].startswith("0 jobs to run, 7 cached; time: about 0 s")
        outcome = done("relevance", "pairwise", *given, "--out", out)
        assert "6 of 12 gains were not measured." in outcome.err
        some, whole = load_matrix(out), load_matrix(study.out)
        assert some.known.sum() == 6
        assert (some.known == some.known.T).all()
        np.testing.assert_array_equal(some.values[some.known], whole.values[some.known])
        assert some.provenance["budget"] == "50% for sources"
        assert results(study.cache) == before

    @pytest.mark.process
    def test_its_own_process_leaves_torch_to_the_worker(self, study: Any, tmp_path: Path) -> None:
        """Keys and numbers are those of a study that has all of it in one process."""
        out, redone = tmp_path / "gains.json", min(results(study.cache))
        before = json.loads(redone.read_text())["result"]["results"]
        redone.unlink()
        code = (
            "import sys\nfrom cli.relevance import main\n"
            "try: main()\nfinally: print({'torch', 'transformers'} & {*sys.modules})"
        )
        command = [sys.executable, "-c", code, "pairwise", *study.options]
        shown = subprocess.run(
            [*command, "--jobs", "1", "--out", str(out)],
            env=os.environ | {"RELEVANCE_CACHE": str(study.cache)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout == "set()\n"
        assert "10 of 10 jobs done (9 cached)" in shown.stderr
        assert len(results(study.cache)) == 10
        assert json.loads(redone.read_text())["result"]["results"] == before
        np.testing.assert_array_equal(load_matrix(out).values, load_matrix(study.out).values)

    @pytest.mark.process
    def test_bad_input_that_the_worker_finds_is_one_line(self, study: Any) -> None:
        command = [sys.executable, "-c", ENTRY, "pairwise", *study.options, "--freeze", "all"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        assert outcome.returncode == 2
        assert outcome.stdout == ""
        assert outcome.stderr.endswith(refused("relevance", *command[3:]) + "\n")

    @pytest.mark.usefixtures("_inline")
    def test_a_failed_job_is_exit_status_1(
        self, study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from hmnet.measuring import joint_runs

        fit = joint_runs.fit

        def break_one(model: Any, tasks: Any, *rest: Any) -> Any:
            if {task.name for task in tasks} == {"TONE", "FACT"}:
                raise RuntimeError("out of\nmemory")
            return fit(model, tasks, *rest)

        monkeypatch.setattr(joint_runs, "fit", break_one)
        out = tmp_path / "gains.json"
        options = [*study.options, "--lr", "2e-3", "--out", str(out)]
        outcome = run("relevance", "pairwise", *options)
        assert outcome.status == 1
        words = "FACT & TONE, seed 0: RuntimeError: out of memory"
        assert f"\nfailed: {words}\n" in outcome.err
        assert outcome.err.count(words) == 1
        assert outcome.err.endswith(
            f"relevance: 1 jobs failed, as {out} says; the same command runs them again.\n"
        )
        unknown = np.isnan(load_matrix(out).values)
        assert unknown.sum() == 2
        assert unknown[0, 3]
        monkeypatch.setattr(joint_runs, "fit", fit)
        assert run("relevance", "pairwise", *options).status == 0
        assert not np.isnan(load_matrix(out).values).any()

    @pytest.mark.usefixtures("_inline")
    @pytest.mark.heavy
    def test_killed_it_resumes_and_runs_only_what_is_missing(
        self, study: Any, tmp_path: Path
    ) -> None:
        cache, out = tmp_path / "killed", tmp_path / "gains.json"
        process = start(study.options, out, cache)
        wait_for(2, cache, lambda: process.poll() is None)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        time.sleep(1)  # its worker follows within half a second
        kept = {path: path.stat().st_mtime_ns for path in results(cache)}
        assert 2 <= len(kept) < 10
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RELEVANCE_CACHE", str(cache))
            shown = done("relevance", "pairwise", *study.options, "--dry-run").out
            assert f"{10 - len(kept)} jobs to run, {len(kept)} cached" in shown
            done("relevance", "pairwise", *study.options, "--out", out)
        assert len(results(cache)) == 10
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        resumed, unbroken = load_matrix(out), load_matrix(study.out)
        np.testing.assert_allclose(resumed.values, unbroken.values, atol=1e-6)

    @pytest.mark.usefixtures("_inline")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    @pytest.mark.process
    def test_two_at_once_on_one_cache(
        self, study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`relevance/studies/test_sharing.py` kills one of two, and counts the jobs."""
        cache, places = tmp_path / "shared", [tmp_path / "one.json", tmp_path / "two.json"]
        monkeypatch.setenv("RELEVANCE_CACHE", str(cache))
        options = ("relevance", "pairwise", *study.options, "--out")
        other = multiprocessing.get_context("fork").Process(target=done, args=(*options, places[0]))
        other.start()
        wait_for(1, cache, other.is_alive)
        assert other.is_alive()
        done(*options, places[1])
        other.join(300)
        assert other.exitcode == 0
        one, two = map(load_matrix, places)
        np.testing.assert_array_equal(one.values, two.values)
        assert len(results(cache)) == 10

    @pytest.mark.process
    def test_a_worker_that_is_killed_is_retried_then_recorded(
        self, study: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        class DyingWorker(Worker):
            def submit(self, call: object) -> Future[Outcome]:
                future: Future[Outcome] = Future()
                future.set_exception(TerminatedWorkerError("killed"))
                return future

        monkeypatch.setattr("relevance.jobs.engines.local.Worker", DyingWorker)
        killed, *_ = sorted(results(study.cache))
        killed.unlink()
        outcome = run("relevance", "pairwise", *study.options)
        assert outcome.status == 1
        assert outcome.err.count("its worker was killed; it runs once more at the end") == 1
        assert outcome.err.count(", seed 0: its worker was killed twice\n") == 1


@pytest.fixture
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a worker is an error."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("a job was run")

    monkeypatch.setattr("relevance.studies.study.TrainingRun.do", refuse)


class TestWhatIsMadeOfAMatrix:
    def test_groups_figures_and_tables(self, study: Any, tmp_path: Path) -> None:
        spec = tmp_path / "c.json"
        grouped = done("relevance", "cluster", study.out, "--k", 2, "--out", spec)
        assert grouped.out.splitlines()[0].startswith("0: ")
        assert "inertia: " in grouped.out
        assert sorted(ClusterSpec.load(spec).tasks) == sorted(NAMES)
        for suffix, start_bytes in ((".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")):
            figure = tmp_path / f"heat{suffix}"
            done("relevance", "heatmap", study.out, "--clusters", spec, "--out", figure)
            assert figure.read_bytes().startswith(start_bytes)
        done("relevance", "bars", study.out, "--task", "TONE", "--out", tmp_path / "bars.svg")
        assert "TONE" in (tmp_path / "bars.svg").read_text()

    @pytest.mark.parametrize(
        ("form", "words"),
        [("markdown", "| TONE"), ("latex", r"\begin{tabular}"), ("csv", "TONE,")],
    )
    def test_tables(self, study: Any, tmp_path: Path, form: str, words: str) -> None:
        shown = done("relevance", "table", study.out, "--format", form).out
        assert words in shown
        done("relevance", "table", study.out, "--format", form, "--out", tmp_path / "table")
        assert (tmp_path / "table").read_text() == shown

    def test_agreement(self, study: Any, tasks: Path, tmp_path: Path) -> None:
        done("relevance", "vocab", *WORD, "--tasks", tasks, "--out", tmp_path / "vocab.json")
        options = ["compare", study.out, tmp_path / "vocab.json", "--format", "csv"]
        (row,) = csv.DictReader(io.StringIO(done("relevance", *options).out))
        assert {"spearman", "kendall"} <= row.keys()
        assert "adjusted_rand" not in row
        (row,) = csv.DictReader(io.StringIO(done("relevance", *options, "--k", 2).out))
        assert -1 <= float(row["adjusted_rand"]) <= 1

    @pytest.mark.usefixtures("_inline")
    def test_gains_of_two_machines_merge(
        self, study: Any, halves: tuple[Path, Path], tmp_path: Path
    ) -> None:
        """Two halves of the tasks, whose cells across stay unknown until someone measures them."""
        outs = [tmp_path / half.with_suffix(".json").name for half in halves]
        for half, out in zip(halves, outs, strict=True):
            done("relevance", "pairwise", *on_tasks(study.options, half), "--out", out)
        assert len(results(study.cache)) == 10
        outcome = done("relevance", "merge", *outs, "--out", tmp_path / "m.json")
        assert outcome.out == ""
        merged, whole = load_matrix(tmp_path / "m.json"), load_matrix(study.out)
        known = ~np.isnan(merged.values)
        assert known.sum() == 8
        np.testing.assert_allclose(merged.values[known], whole.values[known])
