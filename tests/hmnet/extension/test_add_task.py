"""New tasks on trained runs: the old ones answer as before, and the new ones start as asked."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from hmnet.analysis.curves import curves
from hmnet.extension.add_task import add_tasks
from hmnet.extension.plan import plan_extension
from hmnet.methods.method import methods
from hmnet.models.export import export
from hmnet.runs.costs import cost_of
from hmnet.runs.folder import Run, load_run
from hmnet.runs.rows import notes_on, read_run_scores, write_results
from hmnet.runs.score import score_run
from hmnet.runs.scores import Score
from hmnet.runs.train import Note, train_run
from hmnet.settings.addition import Addition
from hmnet.settings.config import RunConfig
from hmnet.training.hooks.progress import Progress
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from toys import GRADED, table

SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))
METHODS = {"camtl": "camtl:attention=full-block", "adapters": "adapters:size=4"}
SHARING = [METHODS.get(name, name) for name in methods.names() if name != "single"]
SKILLS = """
skills = ["tone", "general"]
[families]
sentiment = ["tone", "general"]
pairs = ["general"]
"""
QUICK = {"epochs": 1, "max_steps_per_task": 2, "lr": 1e-2}
ALL_ROWS = {"epochs": 1, "max_steps_per_task": None}
# new tasks; MOOD has TONE's labels in another order
NEW: dict[str, dict[str, Any]] = {
    "MOOD": {"family": "sentiment", "labels": ("good", "bad")},
    "FACT": {"family": "pairs"},
    "ODD": {"family": "oddities", "labels": ("good", "bad")},
    "RATING": {**GRADED, "family": "sentiment", "range": (0, 10)},
    "TAGS": {
        "family": "names",
        "kind": "tokens",
        "text": ("tokens",),
        "label": "tags",
        "labels": ("O", "B-film", "I-film"),
        "metrics": ("entity_f1",),
    },
}


def write_task(folder: Path, name: str) -> Path:
    """A new task with 40 training and 8 dev rows."""
    for split, count in (("train", 40), ("dev", 8)):
        rows = [
            {
                "sentence": f"the {'dull' if n % 2 else 'great'} film {n}",
                "label": n % 2,
                "tokens": ["the", "film", "ran"],
                "tags": ["O", "B-film", "O"],
            }
            for n in range(count)
        ]
        file = folder / name / f"{split}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    toml = folder / f"{name}.toml"
    toml.write_text(table(name, f"{name}/train.jsonl", f"{name}/dev.jsonl", **NEW[name]))
    return toml


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The TOML file of a new task."""
    folder = tmp_path_factory.mktemp("new")
    return lambda name: str(write_task(folder, name))


@pytest.fixture(scope="module")
def trained(
    task_file: Path, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    """A run of any method on TONE, SAME and GRADE; tests leave it as it is."""
    root = tmp_path_factory.mktemp("trained")
    table = root / "skills.toml"
    table.write_text(SKILLS)

    def make(method: str) -> Run:
        out = root / method.partition(":")[0]
        if out.exists():
            return load_run(out)
        config = RunConfig(
            tasks=(str(task_file),),
            backbone=str(tiny_bert),
            method=method,
            skills=table if method == "skillnet" else None,
            layers=(2, 1, 1) if method == "hmnet" else None,
            epochs=1,
            max_steps_per_task=2,
            batch_size=8,
            max_length=24,
            lr=1e-2,
            precision="fp32",
            device="cpu",
        )
        return train_run(config, SPEC if method == "hmnet" else None, out)

    return make


def weights(run: Run) -> dict[str, Tensor]:
    return load_file(run.folder / "model" / "weights.safetensors")


def logits(run: Run, task: str) -> Tensor:
    """What a run says about the dev rows of one of its tasks."""
    texts = [list(column) for column in run.data(task).evaluation["dev"].texts]
    inputs = run.tokenizer(*texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return run.model_for(task)(task, inputs)


def scores(run: Run) -> dict[tuple[str, str], list[Score]]:
    found: dict[tuple[str, str], list[Score]] = {}
    for score in read_run_scores(run.folder):
        found.setdefault((score.task, score.run), []).append(score)
    return found


def notes(run: Run, addition: Addition, out: Path, **options: Any) -> list[str]:
    told: list[Any] = []
    add_tasks(run, addition, out, on_event=told.append, **options)
    return [event.text for event in told if isinstance(event, Note)]


def refusal(run: Run, addition: Addition, out: Path, **options: Any) -> str:
    with pytest.raises(RelevanceError) as error:
        add_tasks(run, addition, out, **options)
    assert not out.exists()
    return str(error.value).replace(str(run.folder), "run")


def matrix_file(path: Path, column: dict[str, float], name: str = "FACT") -> Path:
    """A matrix in which some tasks help a new one so much, and nothing else is known."""
    tasks = (*column, name)
    values = np.full((len(tasks), len(tasks)), np.nan)
    values[:-1, -1] = list(column.values())
    RelevanceMatrix(values=values, tasks=tasks, measure="by-hand").save(path)
    return path


@pytest.mark.parametrize("method", SHARING)
def test_old_tasks_answer_as_before_and_the_new_ones_learn(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path, method: str
) -> None:
    run = trained(method)
    addition = Addition(tasks=(new("MOOD"), new("FACT")), init="TONE")
    larger = add_tasks(run, addition, tmp_path / "run2", settings=QUICK)
    opened = load_run(larger.folder)
    assert [task.name for task in opened.tasks] == ["TONE", "SAME", "GRADE", "MOOD", "FACT"]
    before, after = weights(run), weights(opened)
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    own = after.keys() - before.keys()
    assert all("MOOD" in name or "FACT" in name for name in own)
    for task in run.tasks:
        assert torch.equal(logits(opened, task.name), logits(run, task.name))
    old = scores(run)
    found = scores(opened)
    for (task, name), values in old.items():
        label = name if name == "majority" else f"{run.config.label}+MOOD+FACT as TONE"
        assert [score.value for score in found[task, label]] == [score.value for score in values]
    assert {"MOOD", "FACT"} == {task for task, _ in found} - {task for task, _ in old}

    untrained = Addition(tasks=(new("MOOD"),), init="TONE", fraction=0.0)
    start = weights(add_tasks(run, untrained, tmp_path / "start"))
    of_mood = [name for name in own if "MOOD" in name]
    assert of_mood
    assert not any(torch.equal(after[name], start[name]) for name in of_mood)


def test_the_new_run_is_a_run_like_any_other(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    run = trained("hmnet")
    events: list[Any] = []
    larger = add_tasks(
        run,
        Addition(tasks=(new("MOOD"),)),
        tmp_path / "run2",
        settings=QUICK,
        on_event=events.append,
    )
    assert {path.name for path in larger.folder.iterdir()} == {
        *("added.json", "clusters.json", "config.toml", "log.jsonl"),
        *("README.md", "manifest.json", "model", "rows.json", "scores.csv", "training.json"),
    }
    config = load_run(larger.folder).config
    assert config.tasks == (*run.config.tasks, new("MOOD"))
    assert (config.epochs, config.lr, config.label) == (1, 1e-2, "hmnet+MOOD")
    assert ClusterSpec.load(larger.folder / "clusters.json").clusters[0] == (
        *("TONE", "GRADE"),
        "MOOD",
    )
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(step.task, step.step, step.total) for step in steps] == [
        ("MOOD", 1, 2),
        ("MOOD", 2, 2),
    ]
    before, after = run.timing(), larger.timing()
    assert before is not None
    assert after is not None
    assert after.examples == before.examples + 16
    export(larger.model_for("MOOD"), larger.task("MOOD"), larger.tokenizer, tmp_path / "mood")
    assert (tmp_path / "mood" / "config.json").exists()


def test_tasks_are_added_one_after_another(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    first = add_tasks(
        trained("multi"), Addition(tasks=(new("MOOD"),)), tmp_path / "one", settings=QUICK
    )
    second = add_tasks(first, Addition(tasks=(new("FACT"),)), tmp_path / "two", settings=QUICK)
    assert torch.equal(logits(first, "MOOD"), logits(second, "MOOD"))
    additions = json.loads((second.folder / "added.json").read_text())["additions"]
    assert [list(one["tasks"]) for one in additions] == [["MOOD"], ["FACT"]]
    assert second.config.label == "multi+MOOD+FACT"


class TestCluster:
    def test_the_matrix_decides(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        # SAME alone is 0.5; TONE is nearest of all, but GRADE draws the mean down to 0.45
        matrix = matrix_file(tmp_path / "m.json", {"TONE": 0.8, "GRADE": 0.1, "SAME": 0.5})
        addition = Addition(tasks=(new("FACT"),), relevance=matrix)
        told = notes(trained("hmnet"), addition, tmp_path / "run2", settings=QUICK)
        assert told == [
            (
                "FACT joins SAME in cluster 1 and starts as SAME, by by-hand: TONE 0.8, SAME 0.5,"
                " GRADE 0.1."
            )
        ]
        model = load_run(tmp_path / "run2").model_for("FACT")
        layers = model.plan.layers
        assert layers["FACT"][:3] == layers["SAME"][:3]
        assert layers["FACT"][3] == "FACT.3"
        spec = ClusterSpec.load(tmp_path / "run2" / "clusters.json")
        assert spec.clusters == (("TONE", "GRADE"), ("SAME", "FACT"))

    @pytest.mark.parametrize(
        ("options", "number", "source"),
        [
            ({"cluster": "1"}, 1, "SAME"),
            ({"cluster": "grade", "init": "random"}, 0, "random"),
            ({"init": "same"}, 1, "SAME"),  # a copy belongs where its original is
            ({"init": "same", "cluster": "0"}, 0, "SAME"),
        ],
    )
    def test_the_user_decides(
        self,
        trained: Callable[[str], Run],
        new: Callable[[str], str],
        tmp_path: Path,
        options: dict[str, str],
        number: int,
        source: str,
    ) -> None:
        addition = Addition(tasks=(new("FACT"),), **options)
        larger = add_tasks(trained("hmnet"), addition, tmp_path / "run2", settings=QUICK)
        assert ClusterSpec.load(larger.folder / "clusters.json").cluster_of("FACT") == number
        (entry,) = json.loads((larger.folder / "added.json").read_text())["additions"]
        assert entry["tasks"]["FACT"]["init"] == source
        assert entry["tasks"]["FACT"]["relevance"] is None

    def test_vocabularies_decide_by_default(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        told = notes(
            trained("hmnet"), Addition(tasks=(new("MOOD"),)), tmp_path / "run2", settings=QUICK
        )
        assert told[0].startswith("MOOD joins")
        assert ", by vocabulary: " in told[0]


class TestInit:
    def test_a_copy_is_a_copy(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        addition = Addition(tasks=(new("MOOD"),), init="TONE", fraction=0.0)
        told = notes(trained("hmnet"), addition, tmp_path / "run2")
        assert told == [
            "MOOD joins TONE, GRADE in cluster 0 and starts as TONE.",
            "MOOD is trained on 0 of 40 rows.",
            "MOOD is not trained and answers with the head of TONE.",
        ]
        found = weights(load_run(tmp_path / "run2"))
        copied = [name for name in found if "MOOD" in name]
        assert any("MOOD/3" in name for name in copied)
        for name in copied:
            original = found[name.replace("MOOD", "TONE")]
            of_labels = "classifier" in name  # which MOOD has the other way round
            expected = original.flip(0) if of_labels else original
            assert torch.equal(found[name], expected), name

    def test_other_labels_have_a_new_output_layer(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        addition = Addition(tasks=(new("FACT"),), init="TONE")
        larger = add_tasks(
            trained("multi"), addition, tmp_path / "run2", settings=QUICK | {"lr": 1e-9}
        )
        found = weights(larger)
        pooler, output = "pool.{}/head.pooler.dense.weight", "pool.{}/head.shell.classifier.weight"
        torch.testing.assert_close(found[pooler.format("FACT")], found[pooler.format("TONE")])
        assert not torch.allclose(found[output.format("FACT")], found[output.format("TONE")])

    def test_random_is_how_training_starts_a_task(
        self,
        trained: Callable[[str], Run],
        new: Callable[[str], str],
        tmp_path: Path,
        tiny_bert: Path,
    ) -> None:
        addition = Addition(tasks=(new("FACT"),), init="random", cluster="1")
        larger = add_tasks(
            trained("hmnet"), addition, tmp_path / "run2", settings=QUICK | {"lr": 1e-9}
        )
        found, backbone = weights(larger), load_file(tiny_bert / "model.safetensors")
        layer = "attention.self.query.weight"
        torch.testing.assert_close(
            found[f"pool.FACT/3.{layer}"], backbone[f"encoder.layer.3.{layer}"]
        )

    def test_embeddings(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        run = trained(METHODS["camtl"])
        found = {}
        for init in ("SAME", "random", "xavier"):
            addition = Addition(tasks=(new("FACT"),), init=init)
            larger = add_tasks(
                run, addition, tmp_path / init, settings=QUICK | {"lr": 1e-9, "weight_decay": 0}
            )
            found[init] = weights(larger)
        name = "insert.embeddings.{}"
        original = found["SAME"][name.format("SAME")]
        torch.testing.assert_close(found["SAME"][name.format("FACT")], original)
        drawn = [found[init][name.format("FACT")] for init in ("random", "xavier")]
        assert not torch.allclose(*drawn)
        assert drawn[1].abs().max() <= (6 / (1 + 16)) ** 0.5 + 1e-6

    def test_tasks_of_other_kinds(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        addition = Addition(tasks=(new("TAGS"),), init="TONE")
        tags = add_tasks(trained("hmnet"), addition, tmp_path / "tags", settings=QUICK)
        mood = Addition(tasks=(new("MOOD"),), init="TAGS")
        larger = add_tasks(tags, mood, tmp_path / "mood", settings=QUICK | {"lr": 1e-9})
        found = weights(larger)
        layer = "pool.{}/3.attention.self.query.weight"
        torch.testing.assert_close(found[layer.format("MOOD")], found[layer.format("TAGS")])
        assert {"TAGS", "MOOD"} < {task for task, _ in scores(larger)}

    def test_nearest_is_the_most_relevant_of_all_without_clusters(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        matrix = matrix_file(tmp_path / "m.json", {"TONE": 0.8, "GRADE": 0.9, "SAME": 0.5})
        addition = Addition(tasks=(new("FACT"),), relevance=matrix)
        told = notes(trained(METHODS["camtl"]), addition, tmp_path / "run2", settings=QUICK)
        assert told[0].startswith("FACT starts as GRADE, by by-hand: GRADE 0.9, TONE 0.8")


class TestFraction:
    @pytest.mark.parametrize(
        ("fraction", "rows"), [(0.001, 8), (0.1, 8), (0.5, 20), (0.99, 40), (1.0, 40)]
    )
    def test_rows(
        self,
        trained: Callable[[str], Run],
        new: Callable[[str], str],
        tmp_path: Path,
        fraction: float,
        rows: int,
    ) -> None:
        addition = Addition(tasks=(new("FACT"),), init="random", fraction=fraction)
        run = trained("multi")
        told = notes(run, addition, tmp_path / "run2", settings=ALL_ROWS)
        expected = [] if fraction == 1 else [f"FACT is trained on {rows} of 40 rows."]
        assert told == ["FACT starts random.", *expected]
        larger = load_run(tmp_path / "run2")
        before, after = run.timing(), larger.timing()
        assert before is not None
        assert after is not None
        assert after.examples - before.examples == rows

    @pytest.mark.parametrize("method", ["hmnet", METHODS["camtl"]])
    def test_without_training_a_task_answers_as_its_source_does(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path, method: str
    ) -> None:
        addition = Addition(tasks=(new("MOOD"),), init="TONE", fraction=0.0)
        larger = add_tasks(trained(method), addition, tmp_path / "run2")
        model, inputs = larger.model_for("MOOD"), larger.tokenizer("a film", return_tensors="pt")
        with torch.inference_mode():
            mood, tone = model("MOOD", inputs), model("TONE", inputs)
        torch.testing.assert_close(mood, tone.flip(1))
        assert {run for task, run in scores(larger) if task == "MOOD"} == {
            "majority",
            f"{larger.config.label}",
        }

    def test_nearest_without_training_is_one_with_the_same_labels(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        matrix = matrix_file(tmp_path / "m.json", {"TONE": 0.1, "SAME": 0.9}, "MOOD")
        addition = Addition(tasks=(new("MOOD"),), relevance=matrix, fraction=0.0)
        told = notes(trained("multi"), addition, tmp_path / "run2")
        assert told[0] == "MOOD starts as TONE."

    def test_regression_lends_a_head_whatever_the_range(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        addition = Addition(tasks=(new("RATING"),), fraction=0.0)
        assert notes(trained("multi"), addition, tmp_path / "run2")[0] == "RATING starts as GRADE."

    @pytest.mark.parametrize("init", ["nearest", "TONE", "random", "xavier", "average"])
    def test_every_start_goes_without_training(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path, init: str
    ) -> None:
        """FACT has labels of its own, so that nobody's output layer fits."""
        matrix = matrix_file(tmp_path / "m.json", {"TONE": 0.8, "GRADE": 0.1, "SAME": 0.5})
        addition = Addition(tasks=(new("FACT"),), init=init, fraction=0.0, relevance=matrix)
        run = trained(METHODS["camtl"])
        told = notes(run, addition, tmp_path / "run2")
        copies = init in ("nearest", "TONE")
        why = "TONE's is for other labels" if copies else "there is none to borrow"
        assert told[1:3] == [
            "FACT is trained on 0 of 40 rows.",
            f"FACT is not trained and answers with a new head at random, as {why}.",
        ]
        larger = load_run(tmp_path / "run2")
        assert {name for task, name in scores(larger) if task == "FACT"} == {
            "majority",
            larger.config.label,
        }
        embedding = {
            task: weight.double()
            for task in ("TONE", "SAME", "GRADE", "FACT")
            for weight in [weights(larger)[f"insert.embeddings.{task}"]]
        }
        mean = (embedding["TONE"] + embedding["SAME"] + embedding["GRADE"]) / 3
        assert torch.allclose(embedding["FACT"], mean, atol=1e-7) == (init == "average")
        assert torch.equal(embedding["FACT"], embedding["TONE"]) == copies


class TestTrainAll:
    @pytest.mark.parametrize("method", [METHODS["camtl"], "hmnet"])
    def test_the_whole_model_is_trained_and_scored_anew(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path, method: str
    ) -> None:
        run = trained(method)
        addition = Addition(tasks=(new("MOOD"),), init="TONE", train="all")
        told = notes(run, addition, tmp_path / "run2", settings=QUICK)
        assert told[-1] == (
            '`train="all"` changes what TONE, SAME, GRADE answer too; they are scored anew.'
        )
        larger = load_run(tmp_path / "run2")
        assert larger.config.label == f"{run.config.label}+MOOD as TONE, all trained"
        before, after = weights(run), weights(larger)
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        path = load_run(larger.folder).model_for("MOOD").plan.layers["MOOD"]
        shared = [layer.replace(".", "/") for layer in path if "MOOD" not in layer]
        assert len(shared) >= 3
        for layer in shared:
            assert any(name.startswith(f"pool.{layer}.") for name in moved), layer
        assert any("word_embeddings" in name for name in moved)
        found = scores(larger)
        assert {score.value for score in found["TONE", larger.config.label]} == {
            score.value
            for score in score_run(larger)
            if (score.task, score.run) == ("TONE", larger.config.label)
        }
        (entry,) = json.loads((larger.folder / "added.json").read_text())["additions"]
        assert entry["train"] == "all"
        cost = cost_of(larger)
        assert cost.trained == cost.overall > cost_of(run).trained

    def test_without_rows_nothing_is_trained(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        run = trained("multi")
        addition = Addition(tasks=(new("MOOD"),), init="TONE", train="all", fraction=0.0)
        told = notes(run, addition, tmp_path / "run2")
        assert told[-1] == '`train="all"` is not used: `fraction=0` trains nothing.'
        assert torch.equal(logits(load_run(tmp_path / "run2"), "SAME"), logits(run, "SAME"))

    def test_an_addition_of_an_older_version_is_gone_on_with(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        """It trained the new tasks' own weights, and did not say so."""
        run, addition, out = trained("multi"), Addition(tasks=(new("MOOD"),)), tmp_path / "run2"
        add_tasks(run, addition, out, settings=QUICK)
        content = json.loads((out / "added.json").read_text())
        del content["additions"][0]["train"]
        (out / "added.json").write_text(json.dumps(content))
        with pytest.raises(RelevanceError, match=r"added\.json is damaged: it is not what was wr"):
            add_tasks(run, addition, out, settings=QUICK, resume=True)
        (out / "manifest.json").unlink()
        again = notes(run, addition, out, settings=QUICK, resume=True)
        assert again == [f"{out} is finished: the new tasks are there and scored."]
        other = addition.model_copy(update={"train": "all"})
        with pytest.raises(RelevanceError, match="was begun with other train"):
            add_tasks(run, other, out, settings=QUICK, resume=True)


def test_scores_without_a_record_of_their_rows_are_named(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    old = shutil.copytree(trained("multi").folder, tmp_path / "old")
    write_results(load_run(old), [replace(score, rows=None) for score in read_run_scores(old)])
    (old / "rows.json").unlink()
    (old / "manifest.json").unlink()
    addition = Addition(tasks=(new("MOOD"),), init="TONE", fraction=0.0)
    with pytest.warns(UserWarning, match="older version"):
        told = notes(load_run(old), addition, tmp_path / "run2")
    assert any(line.startswith("The scores of TONE, SAME, GRADE are copied from") for line in told)
    runs = [load_run(tmp_path / "run2"), trained("multi")]
    (line,) = notes_on(runs)
    assert line.startswith("Scored by older versions, which kept no record of the rows")
    assert line.endswith(f": {tmp_path / 'run2'}.")


class TestRefused:
    @pytest.mark.parametrize(
        ("method", "options", "message"),
        [
            (
                "single",
                {},
                (
                    "run has a model for each task, which share nothing that a new one could be"
                    " added to. Train the new one by itself with `hmnet train` and"
                    ' `method="single"`.'
                ),
            ),
            (
                "multi",
                {"init": "TON"},
                (
                    "Unknown `init` 'TON'. Did you mean 'TONE'? Known: GRADE, SAME, TONE, average,"
                    " nearest, random, xavier."
                ),
            ),
            (
                "multi",
                {"init": "xavier"},
                (
                    "`init='xavier'` draws a task embedding, which this run's method does not have."
                    " Take random, nearest or the name of a task."
                ),
            ),
            (
                "multi",
                {"cluster": "1"},
                "`cluster` is for runs of method hmnet; 'multi' has no clusters. Leave it out.",
            ),
            (
                "hmnet",
                {"cluster": "2"},
                "`cluster='2'`: the run has 2 clusters, numbered from 0.",
            ),
            (
                "hmnet",
                {"cluster": "TUNE"},
                "Unknown `cluster` 'TUNE'. Did you mean 'TONE'? Known: 0, 1, GRADE, SAME, TONE.",
            ),
            (
                "multi",
                {"head": "MODE=linear"},
                "Unknown new task 'mode'. Known: FACT.",
            ),
        ],
    )
    def test_what_does_not_fit_the_run(
        self,
        trained: Callable[[str], Run],
        new: Callable[[str], str],
        tmp_path: Path,
        method: str,
        options: dict[str, str],
        message: str,
    ) -> None:
        addition = Addition(tasks=(new("FACT"),), **options)
        assert refusal(trained(method), addition, tmp_path / "run2") == message

    def test_a_family_without_skills(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        run, addition = trained("skillnet"), Addition(tasks=(new("ODD"),))
        assert refusal(run, addition, tmp_path / "run2") == (
            "The skill table has no row for task 'ODD' or its family 'oddities'. Add one to a table"
            " of your own and give it with `skills=FILE`."
        )
        table = {"skills": ["tone", "general"], "tasks": {"ODD": ["general"]}}
        families = {"sentiment": ["tone", "general"], "pairs": ["general"]}
        given = addition.model_copy(update={"skills": None})
        given = Addition(**given.model_dump() | {"skills": table | {"families": families}})
        larger = add_tasks(run, given, tmp_path / "with", settings=QUICK)
        assert torch.equal(logits(larger, "TONE"), logits(run, "TONE"))
        families["pairs"] = ["tone"]
        other = Addition(**given.model_dump() | {"skills": table | {"families": families}})
        assert refusal(run, other, tmp_path / "run2") == (
            "`skills` gives 'SAME' other skills than it was trained with. Keep the skills and the"
            " rows of the run's own tasks, and add rows for the new ones."
        )

    def test_a_task_that_is_there(self, trained: Callable[[str], Run], tmp_path: Path) -> None:
        run = trained("multi")
        message = refusal(run, Addition(tasks=run.config.tasks), tmp_path / "run2")
        assert message == (
            "run has a task 'TONE' already. Give new ones with `tasks`, in a TOML file of their"
            " own."
        )

    @pytest.mark.parametrize("name", ["max_length", "backbone", "freeze", "data_dir"])
    def test_settings_of_the_trained_model(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path, name: str
    ) -> None:
        addition = Addition(tasks=(new("FACT"),))
        message = refusal(trained("multi"), addition, tmp_path / "run2", settings={name: "16"})
        option = "--" + name.replace("_", "-")
        assert message == (
            f"{option} is the run's own and cannot be changed when tasks are added. Leave it out."
        )

    def test_a_folder_that_exists(
        self, trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
    ) -> None:
        run, addition = trained("multi"), Addition(tasks=(new("FACT"),))
        out = tmp_path / "run2"
        shutil.copytree(run.folder, out)
        with pytest.raises(RelevanceError, match=r"run2 exists. Go on with what is in it"):
            add_tasks(run, addition, out)
        with pytest.raises(RelevanceError, match=r"run2 has no added.json, so nothing was added"):
            add_tasks(run, addition, out, resume=True)


def test_stopped_and_resumed_is_as_unbroken(
    trained: Callable[[str], Run],
    new: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, addition = trained("hmnet"), Addition(tasks=(new("FACT"),))
    settings = ALL_ROWS | {"checkpoint_s": 1e-9}
    whole = add_tasks(run, addition, tmp_path / "whole", settings=settings)

    class StoppedError(Exception):
        pass

    class Stopping:
        """Ends training where the third step is told about."""

        def step(self, progress: Progress) -> None:
            if progress.step == 3:
                raise StoppedError

        def __enter__(self) -> "Stopping":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    with monkeypatch.context() as patch:
        patch.setattr("hmnet.runs.fitting.open_log", lambda *_: Stopping())
        with pytest.raises(StoppedError):
            add_tasks(run, addition, tmp_path / "run2", settings=settings)
    assert (tmp_path / "run2" / "checkpoint").exists()
    begun = json.loads((tmp_path / "run2" / "added.json").read_text())
    for name in ("optimizer", "amsgrad", "schedule"):  # as an older version began it
        del begun["additions"][-1]["settings"][name]
    (tmp_path / "run2" / "added.json").write_text(json.dumps(begun))
    with pytest.raises(RelevanceError, match=r"run2 was begun with other settings. Resume"):
        add_tasks(run, addition, tmp_path / "run2", settings=QUICK, resume=True)
    resumed = add_tasks(run, addition, tmp_path / "run2", settings=settings, resume=True)
    expected = weights(whole)
    assert all(torch.equal(weight, expected[name]) for name, weight in weights(resumed).items())
    assert not (tmp_path / "run2" / "checkpoint").exists()
    again = notes(run, addition, tmp_path / "run2", settings=settings, resume=True)
    assert again == [f"{tmp_path / 'run2'} is finished: the new tasks are there and scored."]


def test_the_best_epoch_is_that_of_the_new_task(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    settings = {"epochs": 2, "max_steps_per_task": 8, "checkpoint": "best"}
    told = notes(
        trained("multi"),
        Addition(tasks=(new("FACT"),), init="random"),
        tmp_path / "run2",
        settings=settings,
    )
    assert told[-1].startswith("dev was best in epoch")
    assert "Best by task: FACT" in told[-1]
    found = curves(load_run(tmp_path / "run2"))
    assert (found.tasks, found.epochs, len(found.scored_at)) == (("FACT",), 2, 2)
    assert found.scores is not None
    assert found.passes[-1] == pytest.approx(64 / 40)  # eight batches of eight


def test_a_launcher_is_refused(
    trained: Callable[[str], Run],
    new: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    addition = Addition(tasks=(new("FACT"),))
    assert refusal(trained("multi"), addition, tmp_path / "run2") == (
        "hmnet add-task trains in one process. Start it without a launcher."
    )


def test_a_new_task_may_have_another_head(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    run = trained("multi")
    pooled = Run(run.folder, run.config.model_copy(update={"pooling": "mean"}))
    addition = Addition(tasks=(new("MOOD"), new("FACT")), init="TONE", head="linear,fact=siamese")
    extension = plan_extension(pooled, addition, {}, tmp_path)
    assert extension.config.head.text == "auto,MOOD=linear,FACT=siamese"
    borrowing = Addition(tasks=(new("MOOD"),), init="TONE", head="siamese", fraction=0.0)
    assert not plan_extension(pooled, borrowing, {}, tmp_path).placements["MOOD"].borrows
    same = borrowing.model_copy(update={"head": None})
    assert plan_extension(pooled, same, {}, tmp_path).placements["MOOD"].borrows


def test_the_weight_decay_goes_by_the_optimizer(
    trained: Callable[[str], Run], new: Callable[[str], str], tmp_path: Path
) -> None:
    run, addition = trained("multi"), Addition(tasks=(new("FACT"),))

    def decay(**settings: Any) -> float:
        return plan_extension(run, addition, settings, tmp_path / "run2").training.weight_decay

    assert [decay(), decay(optimizer="adam"), decay(optimizer="adam", weight_decay=0.1)] == [
        0.01,
        0.0,
        0.1,
    ]
