"""From clusters to a trained run and all that can be asked of it, as a user asks for it."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from altering import rewritten
from commands import done, refused
from hmnet.runs.folder import load_run
from relevance.errors import RelevanceError

ENTRY = "import sys; from cli.hmnet import main; sys.exit(main())"
LABELS = {"TONE": ["bad", "good"], "SAME": ["same", "other", "none"], "FACT": ["no", "yes"]}
LINES = [{"text": ["good film"]}, {"text": ["is it the dog", "no cat in the city"]}]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def config_of(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "config.toml").read_text())


class TestTrain:
    def test_a_run_is_a_folder(self, trained: Path) -> None:
        names = {path.name for path in trained.iterdir()}
        expected = {"config.toml", "clusters.json", "scores.csv", "log.jsonl", "model"}
        assert names == expected | {"README.md", "manifest.json", "rows.json", "training.json"}
        lines = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == list(range(1, 4 * 3 + 1))
        assert config_of(trained)["method"] == "hmnet"

    def test_scores(self, trained: Path) -> None:
        text = (trained / "scores.csv").read_text()
        assert text.splitlines()[0] == "run,method,task,split,metric,seed,value"
        found = [(row["run"], row["task"], row["metric"]) for row in rows(text)]
        metrics = {
            "TONE": ["accuracy", "f1"],
            "SAME": ["accuracy"],
            "GRADE": ["pearson", "spearman"],
            "FACT": ["accuracy"],
        }
        assert found == [
            (run, task, metric)
            for task in metrics
            for run in ("hmnet", "majority")
            for metric in metrics[task]
        ]

    def test_the_command_line_wins_over_the_settings_file(
        self, quick: list[str], tmp_path: Path
    ) -> None:
        config, out = tmp_path / "run.toml", tmp_path / "run"
        config.write_text('epochs = 7\nmax-steps-per-task = 1\nmethod = "multi"\nseeds = [3, 4]\n')
        outcome = done(
            *("hmnet", "train", *quick, "--config", config, "--seed", 5, "--name", "mine"),
            *("--out", out),
        )
        written = config_of(out)
        assert (written["epochs"], written["max_steps_per_task"]) == (1, 1)
        assert (written["method"], written["name"], written["seed"]) == ("multi", "mine", 5)
        assert outcome.out.splitlines()[0].endswith(" mine |")
        assert outcome.err.endswith(f"wrote {out}\n")

    def test_every_option_of_training_is_a_setting(self, quick: list[str], tmp_path: Path) -> None:
        given = {
            "freeze": "50%",
            "head-lr": 0.001,
            "warmup": 0.1,
            "accumulate": 2,
            "clip-norm": 1.0,
            "label-smoothing": 0.1,
            "checkpoint": "best",
            "patience": 1,
        }
        out = tmp_path / "run"
        options = [text for name, value in given.items() for text in (f"--{name}", value)]
        outcome = done(
            *("hmnet", "train", *quick, "--method", "multi", "--max-steps-per-task", 1),
            *(*options, "--out", out),
        )
        written = config_of(out)
        assert {name: written[name.replace("-", "_")] for name in given} == given
        assert "hmnet: note: dev was best in epoch 1, with a mean of" in outcome.err

    def test_what_cannot_be_frozen_is_one_line(self, quick: list[str], tmp_path: Path) -> None:
        options = [*quick, "--method", "multi", "--out", tmp_path / "run"]
        assert refused("hmnet", "train", *options, "--freeze", "half") == (
            "--freeze takes a number of layers such as 4, a share such as 50%, layers such as 5-8,"
            " embeddings or all, got 'half'."
        )
        assert not (tmp_path / "run").exists()

    def test_comparisons_name_runs_of_the_old_loss(self, trained: Path, tmp_path: Path) -> None:
        old = tmp_path / "old"
        shutil.copytree(trained, old)
        text = (old / "config.toml").read_text()
        rewritten(old / "config.toml", text.replace('regression_loss = "scale"\n', ""))
        words = "rained by older versions, whose loss of regression tasks lay on"
        assert words not in done("hmnet", "compare", trained).out
        assert words in done("hmnet", "compare", old).out
        csv = done("hmnet", "compare", old, "--format", "csv")
        assert csv.err.endswith(
            f"hmnet: note: T{words} [0, 1] and not on a task's own scale: {old}.\n"
        )

    def test_several_seeds_are_several_folders(self, quick: list[str], tmp_path: Path) -> None:
        out = tmp_path / "runs"
        options = [*quick, "--method", "multi", "--max-steps-per-task", "1", "--seed", "9"]
        done("hmnet", "train", *options, "--seeds", "0,2", "--out", out)
        assert sorted(path.name for path in out.iterdir()) == ["seed-0", "seed-2"]
        assert [config_of(out / name)["seed"] for name in ("seed-0", "seed-2")] == [0, 2]
        (tone, *_) = rows(done("hmnet", "evaluate", out, "--format", "csv").out)
        assert tone["task"] == "TONE"
        assert "multi" in tone
        assert "| multi " in done("hmnet", "compare", out).out

    def test_what_a_method_ignores_is_noted(
        self, quick: list[str], clusters: Path, tmp_path: Path
    ) -> None:
        options = [*quick, "--max-steps-per-task", 1, "--clusters", clusters, "--layers", "2,1,1"]
        outcome = done("hmnet", "train", *options, "--method", "single", "--out", tmp_path / "run")
        note = "hmnet: note: Method 'single' ignores --clusters and --layers.\n"
        assert outcome.err.startswith(note)
        assert not (tmp_path / "run" / "clusters.json").exists()

    @pytest.mark.parametrize(
        ("sent", "status", "word"),
        [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    )
    @pytest.mark.heavy
    def test_a_run_that_is_stopped_can_be_resumed(
        self,
        quick: list[str],
        clusters: Path,
        tmp_path: Path,
        sent: signal.Signals,
        status: int,
        word: str,
    ) -> None:
        out = tmp_path / "run"
        options = [*quick, "--epochs", "8", "--device", "cpu", "--clusters", str(clusters)]
        process = subprocess.Popen(
            [sys.executable, "-c", ENTRY, "train", *options, "--out", str(out)],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        log, until = out / "log.jsonl", time.monotonic() + 300
        while process.poll() is None and not (log.exists() and log.read_text().count("\n") > 2):
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(sent)
        shown, said = process.communicate(timeout=300)
        assert process.returncode == status, said
        assert shown == ""
        assert said.endswith(f"hmnet: {word}. Go on with the same command and --resume.\n")
        done_steps = log.read_text().count("\n")
        assert done_steps < 96

        hint = refused("hmnet", "evaluate", out)
        command = re.search(r"`hmnet (.*)`", hint)
        assert command is not None
        done("hmnet", *command[1].split())
        steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
        assert steps == list(range(1, 97))
        assert (out / "scores.csv").is_file()


class TestATrainedRun:
    def test_evaluate_gives_the_scores_of_the_training(self, trained: Path) -> None:
        shown = rows(done("hmnet", "evaluate", trained, "--format", "csv").out)
        written = rows((trained / "scores.csv").read_text())
        expected = {
            (row["task"], row["metric"]): float(row["value"])
            for row in written
            if row["run"] == "hmnet"
        }
        for row in shown:
            if row["task"] in LABELS or row["task"] == "GRADE":
                found = float(row["hmnet"])
                assert found == pytest.approx(100 * expected[row["task"], row["metric"]], abs=0.05)
        again = done("hmnet", "evaluate", trained, "--split", "dev", "--format", "csv")
        assert again.out
        assert "has changed" not in again.err

    @pytest.mark.filterwarnings("default:The data has changed")  # a note, outside of tests
    @pytest.mark.parametrize(
        "command",
        [
            "evaluate {run} --split dev",
            "diagnose {run} --task GRADE --out {out}/diagnosis",
            "attention {run} {run} --task GRADE --max-rows 2",
            "predict {run} --task GRADE --split dev",
        ],
    )
    def test_whatever_reads_rows_says_when_they_are_others(
        self, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        arguments = [word.format(run=trained, out=tmp_path) for word in command.split()]
        assert "has changed" not in done("hmnet", *arguments).err
        shutil.rmtree(tmp_path / "diagnosis", ignore_errors=True)
        monkeypatch.setattr("hmnet.runs.rows.rows_digest", lambda task, _: task.name)
        assert (
            f"hmnet: note: The data has changed since {trained} was trained: 'GRADE' has other"
            " rows in dev. Where dev is a share" in done("hmnet", *arguments).err
        )

    def test_predict_does_not_look_at_labels_that_are_gone(
        self, trained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*_: object) -> None:
            raise RelevanceError("column 'label' is not in dev.csv.")

        monkeypatch.setattr("hmnet.trained_run.load_split", gone)
        assert done("hmnet", "predict", trained, "--task", "GRADE", "--split", "dev").err == ""

    def test_predict_from_a_file(self, trained: Path, tmp_path: Path) -> None:
        (tmp_path / "in.jsonl").write_text('{"sentence": "good film", "id": 7}\n\n')
        options = ["predict", trained, "--input", tmp_path / "in.jsonl", "--task"]
        (answer,) = map(json.loads, done("hmnet", *options, "tone").out.splitlines())
        assert list(answer) == ["id", "task", "label", "probabilities"]
        assert (answer["id"], answer["task"]) == (7, "TONE")
        assert list(answer["probabilities"]) == LABELS["TONE"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
        (answer,) = map(json.loads, done("hmnet", *options, "GRADE").out.splitlines())
        assert list(answer) == ["id", "task", "value"]
        assert isinstance(answer["value"], float)

    def test_predict_from_a_table_into_a_table(self, trained: Path, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text('sentence,label,idx\n"good, ""fine"" film",bad,7\n')
        options = ["predict", trained, "--input", tmp_path / "in.csv", "--format", "csv", "--task"]
        (row,) = rows(done("hmnet", *options, "tone").out)
        assert list(row) == ["idx", "task", "label", "probability: bad", "probability: good"]
        assert row["idx"] == "7"
        assert float(row["probability: bad"]) + float(row["probability: good"]) == pytest.approx(1)
        (both,) = rows(done("hmnet", *options, "tone,GRADE,TONE").out)
        assert list(both) == ["idx", *(f"TONE: {c}" for c in list(row)[2:]), "GRADE: value"]
        assert both["TONE: label"] == row["label"]

    def test_predict_every_task_from_stdin(self, trained: Path, tmp_path: Path) -> None:
        lines = "".join(json.dumps(line) + "\n" for line in LINES).encode()
        options = ["predict", trained, "--task", "all", "--input", "-"]
        shown = done("hmnet", *options, stdin=lines).out
        answers = [json.loads(line) for line in shown.splitlines()]
        assert [answer["task"] for answer in answers] == ["TONE", "SAME", "GRADE", "FACT"] * 2
        for answer in answers:
            if answer["task"] in LABELS:
                assert list(answer["probabilities"]) == LABELS[answer["task"]]
        out = tmp_path / "answers.jsonl"
        outcome = done("hmnet", *options, "--batch-size", 1, "--out", out, stdin=lines)
        assert outcome.err == f"wrote {out}\n"
        for one, line in zip(answers, out.read_text().splitlines(), strict=True):
            other = json.loads(line)
            assert other["task"] == one["task"]
            numbers = "value" if "value" in one else "probabilities"
            assert other[numbers] == pytest.approx(one[numbers], rel=1e-5)

    def test_predict_says_that_no_rows_came(self, trained: Path, tmp_path: Path) -> None:
        blank, header = tmp_path / "in put.jsonl", tmp_path / "in.csv"
        blank.write_text("\n \n")
        header.write_text("sentence\n")
        for where, stdin in (("-", b""), ("-", b"\n\r\n"), (blank, b""), (header, b"")):
            options = ["predict", trained, "--task", "TONE", "--input", where]
            outcome = done("hmnet", *options, stdin=stdin)
            named = "stdin" if where == "-" else where
            said = f"hmnet: note: {named} has no rows, so that nothing was answered.\n"
            assert (outcome.out, outcome.err) == ("", said)

    @pytest.mark.process
    @pytest.mark.skipif(os.name != "posix", reason="needs a terminal to type on")
    def test_who_types_is_answered_line_by_line(self, trained: Path) -> None:
        keyboard, terminal = os.openpty()
        options = ["predict", str(trained), "--task", "TONE", "--input", "-"]
        with subprocess.Popen(
            [sys.executable, "-c", ENTRY, *options],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as asked:
            assert asked.stdout is not None
            for number in range(2):
                os.write(keyboard, b'{"id": %d, "text": ["good film"]}\n' % number)
                assert json.loads(asked.stdout.readline())["id"] == number
            os.write(keyboard, b"\x04")  # Ctrl-D: no more
            assert asked.communicate(timeout=60) == (b"", b"")
        os.close(keyboard)
        os.close(terminal)
        assert asked.returncode == 0

    @pytest.mark.parametrize("task", ["TONE", "SAME", "GRADE"])
    def test_an_export_answers_as_predict_does(
        self, trained: Path, tmp_path: Path, task: str
    ) -> None:
        out = tmp_path / "exported"
        outcome = done("hmnet", "export", trained, "--task", task.lower(), "--out", out)
        assert outcome.err == f"wrote {out}\n"
        model = AutoModelForSequenceClassification.from_pretrained(out)
        tokenizer = AutoTokenizer.from_pretrained(out)
        for line in LINES:
            with torch.no_grad():
                logits = model(**tokenizer(*line["text"], return_tensors="pt")).logits[0]
            options = ["--task", task, "--input", "-"]
            stdin = json.dumps(line).encode()
            answer = json.loads(done("hmnet", "predict", trained, *options, stdin=stdin).out)
            if task == "GRADE":
                assert answer["value"] == pytest.approx(logits.item(), abs=1e-5)
            else:
                expected = torch.softmax(logits, 0).numpy()
                found = list(answer["probabilities"].values())
                np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_all_tasks_exported_as_one_program_answer_as_predict_does(
        self, trained: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "all tasks"
        asked = ["hmnet", "export", trained, "--format", "torch", "--out", out]
        assert done(*asked, "--task", "tone,GRADE").err == f"wrote {out}\n"
        told = json.loads((out / "tasks.json").read_text())
        text = LINES[0]["text"][:1]
        read = AutoTokenizer.from_pretrained(out)(text, return_tensors="pt")
        program = torch.export.load(out / told["file"]).module()
        logits = program(**{name: read[name] for name in told["inputs"]})
        stdin = json.dumps({"text": text}).encode()
        options = ["--task", "TONE,GRADE", "--input", "-"]
        shown = done("hmnet", "predict", trained, *options, stdin=stdin).out
        tone, grade = map(json.loads, shown.splitlines())
        expected = torch.softmax(logits["TONE"][0], 0).tolist()
        assert list(tone["probabilities"].values()) == pytest.approx(expected, abs=1e-5)
        scale = told["tasks"]["GRADE"]["scale"]
        value = scale["offset"] + scale["spread"] * logits["GRADE"].item()
        assert grade["value"] == pytest.approx(value, abs=1e-4)
        assert refused(*asked, "--all").startswith(f"{out} exists and is not empty.")
        one_of = "Give the tasks to export: --task RTE, or --all for every task."
        assert refused(*asked[:3], "--out", out) == one_of
        assert refused(*asked[:3], "--all", "--out", out).startswith("A plain checkpoint holds one")

    @pytest.mark.parametrize(
        ("form", "words"),
        [("markdown", "hmnet |"), ("latex", r"\begin{tabular}"), ("csv", ",hmnet")],
    )
    def test_compare(self, trained: Path, tmp_path: Path, form: str, words: str) -> None:
        shown = done("hmnet", "compare", trained, "--format", form).out
        assert words in shown
        options = ["--format", form, "--out", tmp_path / "table"]
        done("hmnet", "compare", trained, *options)
        assert (tmp_path / "table").read_text() == shown

    def test_compare_for_a_paper(self, trained: Path, tmp_path: Path) -> None:
        out = tmp_path / "scores.tex"
        options = ["--caption", "Scores in %", "--label", "tab:scores"]
        done("hmnet", "compare", trained, *options, "--out", out)
        text = out.read_text()
        assert text.startswith("\\begin{table}\n\\centering\n\\caption{Scores in \\%}\n")
        assert "\\label{tab:scores}\n" in text
        assert r"\begin{tabular}{llrr}" in text
        assert text.endswith("\\end{tabular}\n\\end{table}\n")
        done("hmnet", "compare", trained, "--out", out)
        assert r"\begin{table}" not in out.read_text()
        assert r"\begin{tabular}" in out.read_text()
        message = refused("hmnet", "compare", trained, *options, "--out", tmp_path / "scores.md")
        assert message.startswith("--caption and --label belong to LaTeX")
        assert not (tmp_path / "scores.md").exists()

    def test_count_is_what_the_model_has(
        self, trained: Path, tasks: Path, tiny_bert: Path, clusters: Path
    ) -> None:
        options = ["--tasks", tasks, "--backbone", tiny_bert, "--clusters", clusters]
        counted = json.loads(done("hmnet", "count", *options).out)
        model = load_run(trained).model_for("TONE")
        assert counted["overall"] == sum(weight.numel() for weight in model.parameters())
        assert list(counted["active"]) == ["TONE", "SAME", "GRADE", "FACT"]
        single = json.loads(done("hmnet", "count", *options[:4], "--method", "single").out)
        assert single["overall"] == sum(single["active"].values()) > counted["overall"]

    def test_three_methods_side_by_side(
        self, trained: Path, quick: list[str], tmp_path: Path
    ) -> None:
        runs = [trained]
        for method in ("multi", "single"):
            runs.append(tmp_path / method)
            done("hmnet", "train", *quick, "--method", method, "--out", runs[-1])
        (header, *_) = done("hmnet", "compare", *runs).out.splitlines()
        columns = [cell.strip() for cell in header.strip("|").split("|")]
        assert columns == ["task", "metric", "majority class", "hmnet", "multi", "single"]


@pytest.mark.process
def test_from_the_groups_that_relevance_finds(study: Any, quick: list[str], tmp_path: Path) -> None:
    """`--clusters` alone says which tasks there are, when they are of the catalogue."""
    done("relevance", "cluster", study.out, "--k", 2, "--out", tmp_path / "c.json")
    options = [*quick, "--clusters", tmp_path / "c.json", "--layers", "1,2,1"]
    done("hmnet", "train", *options, "--max-steps-per-task", 1, "--out", tmp_path / "run")
    written = json.loads((tmp_path / "run" / "clusters.json").read_text())
    assert written["clusters"] == json.loads((tmp_path / "c.json").read_text())["clusters"]
