"""The model card: the hub reads it, its numbers are those of the scores, it gives no path away."""

import re
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard

from hmnet.runs.card import CARD, card, catalogued, seeds_of, write_cards
from hmnet.runs.folder import CLUSTERS, Run, load_run
from hmnet.runs.rows import read_run_scores
from hmnet.runs.scores import MAJORITY, Score
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.trained_run import TrainedRun
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.tasks.licences import in_question
from toys import toy

NASTY = "<img src=x onerror=alert(1)> | [a](b)"


@pytest.fixture(scope="module")
def seeds(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two seeds of one command, whose name is what nobody should call a run."""
    folder = tmp_path_factory.mktemp("secret place") / "run"
    brief = {"max_steps_per_task": 1, "epochs": 1, "name": NASTY}
    for seed in (0, 1):
        each = config.model_copy(update={**brief, "seed": seed})
        train_run(each, None, folder / f"seed-{seed}")
    return [load_run(folder / f"seed-{seed}") for seed in (0, 1)]


def text_of(run: Run) -> str:
    return (run.folder / CARD).read_text(encoding="utf-8")


@pytest.fixture
def unequal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of 0 in seed 0 and of 1 in seed 1, whatever was learned."""

    def scored(folder: Path) -> list[Score]:
        value = float(folder.name == "seed-1")
        found = read_run_scores(folder)
        return [each if each.method == MAJORITY else replace(each, value=value) for each in found]

    monkeypatch.setattr("hmnet.runs.card.read_run_scores", scored)


def test_the_hub_reads_it_and_finds_what_the_weights_beside_it_score(seeds: list[Run]) -> None:
    data = ModelCard.load(seeds[0].folder / CARD).data
    assert data.library_name == "hmnet"
    assert data.pipeline_tag == "text-classification"
    assert (data.base_model, data.datasets, data.language) == (None, None, None)
    assert data.eval_results is not None
    values = {
        (one.dataset_name, one.dataset_split, one.metric_name): one.metric_value
        for one in data.eval_results
    }
    assert values == {
        (one.task, one.split, one.metric): pytest.approx(one.value, abs=1e-6)
        for one in read_run_scores(seeds[0].folder)
        if one.method != MAJORITY
    }
    assert {one.metric_type for one in data.eval_results} == {
        *("accuracy", "f1", "pearsonr", "spearmanr")
    }


@pytest.mark.usefixtures("unequal")
def test_a_better_seed_is_no_result_of_weights_that_learned_nothing(seeds: list[Run]) -> None:
    for run, value in zip(seeds, (0.0, 1.0), strict=True):
        for made in (card(run, seeds), card(run, seeds, run.tasks[:1], "checkpoint")):
            results = made.data.eval_results
            assert results
            assert {one.metric_value for one in results} == {value}
            assert ("Not above the majority class" in str(made)) is (value == 0)
            rows = [line for line in str(made).splitlines() if line.startswith("| TONE ")]
            shown = [cell.strip() for cell in rows[0].split("|")[3:6]]
            assert shown == [f"{value:.4f}", "0.5000", "0.7071"]


def test_it_shows_spread_and_the_majority_class(seeds: list[Run]) -> None:
    lines = text_of(seeds[1]).splitlines()
    (head,) = (line for line in lines if line.startswith("| task") and "score" in line)
    assert head.replace(" ", "") == "|task|metric|score|mean|deviation|majority|"
    row = next(line for line in lines if line.startswith("| TONE"))
    values = [
        score.value
        for run in seeds
        for score in read_run_scores(run.folder)
        if (score.task, score.metric, score.method) == ("TONE", "accuracy", "multi")
    ]
    (majority,) = {
        score.value
        for score in read_run_scores(seeds[0].folder)
        if (score.task, score.metric, score.method) == ("TONE", "accuracy", MAJORITY)
    }
    shown = [cell.strip() for cell in row.split("|")[2:-1]]
    numbers = [values[1], statistics.mean(values), statistics.stdev(values), majority]
    assert shown == ["accuracy", *(f"{number:.4f}" for number in numbers)]
    text = " ".join(lines)
    assert "The score is that of these weights, of seed 1; mean and standard deviation" in text
    assert "One seed" not in text


def test_it_gives_no_path_away_and_its_names_are_text(seeds: list[Run]) -> None:
    for run in seeds:
        text = text_of(run)
        assert "/" not in text.partition("## Training")[0].replace("https://", "")
        assert str(run.folder) not in text
        assert run.config.backbone not in text
        assert r"\<img src=x onerror=alert(1)> \| [a\](b)" in text
        assert "<img" not in text.replace(r"\<img", "").partition("\n---\n")[2]


def test_other_settings_are_no_seeds_of_the_same(seeds: list[Run]) -> None:
    first = seeds[0]
    other = Run(first.folder, first.config.model_copy(update={"lr": 0.5}))
    assert [run.config.seed for run in seeds_of(first)] == [0, 1]
    assert seeds_of(other) == [other]


def test_one_seed_says_that_its_spread_is_unknown(seeds: list[Run]) -> None:
    text = str(card(seeds[0], seeds[:1]))
    assert "One seed: how far another one" in text
    assert "of seed 0; the majority is" in text
    assert "deviation" not in text


def test_groups_say_how_they_came_about(seeds: list[Run], tmp_path: Path) -> None:
    spec = ClusterSpec(
        clusters=(("TONE", "GRADE"), ("SAME",)),
        method="kmeans",
        k=2,
        seed=0,
        stability=Stability(adjusted_rand=0.5, resampling="halves", seeds=3),
        provenance={"measure": "joint-training"},
    )
    (matrix := tmp_path / "my secret gains.json").write_text("{}")
    spec.made_from(matrix).save(seeds[0].folder / CLUSTERS)
    try:
        text = str(card(seeds[0], seeds))
    finally:
        (seeds[0].folder / CLUSTERS).unlink()
    assert "- 0: TONE, GRADE\n- 1: SAME\n" in text
    assert "Found by kmeans, seed 0, from a matrix of joint-training; 2 were asked for." in text
    assert "Stability: adjusted rand index 0.50 expected between two studies of 3 seed(s)" in text
    assert "secret" not in text


def test_tasks_of_the_catalogue_name_data_licence_and_encoder(seeds: list[Run]) -> None:
    config = seeds[0].config.model_copy(update={"tasks": ("RTE", "my.toml"), "backbone": "minilm"})
    assert list(catalogued(Run(Path("run"), config))) == ["RTE"]
    own = Run(seeds[0].folder, config)
    text = str(card(own, seeds[:1]))
    assert "base_model: sentence-transformers/all-MiniLM-L6-v2" in text
    assert "the user's own" in text


def test_an_export_has_a_card_of_its_task(seeds: list[Run], tmp_path: Path) -> None:
    TrainedRun.of(seeds[0]).export("SAME", tmp_path / "same")
    data = ModelCard.load(tmp_path / "same" / CARD).data
    assert data.library_name == "transformers"
    assert {one.dataset_name for one in data.eval_results or ()} == {"SAME"}
    text = (tmp_path / "same" / CARD).read_text(encoding="utf-8")
    assert "Labels: same, other, none." in text
    assert "AutoModelForSequenceClassification.from_pretrained" in text


@pytest.mark.parametrize("form", ["torch", pytest.param("onnx", marks=pytest.mark.heavy)])
def test_a_program_has_a_card_whose_lines_ask_it(
    seeds: list[Run], tmp_path: Path, form: Any
) -> None:
    run = TrainedRun.of(seeds[0])
    out = run.export("all", tmp_path / "all of them", format=form)
    text = (out / CARD).read_text(encoding="utf-8")
    assert (
        ModelCard.load(out / CARD).data.library_name == {"onnx": "onnx", "torch": "pytorch"}[form]
    )
    assert text.index("## Training") < text.index("## Outputs") < text.index("## Use")
    assert re.search(r"^\| SAME +\| classification +\| same, other, none +\|$", text, re.MULTILINE)
    assert "as one program with an output per task" in text
    assert str(run.folder) not in text
    code = re.search(r"```python\n(.*)```", text, re.DOTALL)
    assert code
    values: dict[str, Any] = {"FOLDER": str(out), "texts": ["the film is great", "dull"]}
    exec(code[1], values)  # noqa: S102  what a reader would do
    answers = run.predict(values["texts"], "TONE")
    assert set(values["logits"]) == {task.name for task in run.tasks}
    for logits, answer in zip(values["logits"]["TONE"], answers, strict=True):
        expected = torch.softmax(torch.as_tensor(logits), 0).tolist()
        assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-5)


def test_a_card_is_written_again_without_a_trace_of_the_old_one(seeds: list[Run]) -> None:
    before = text_of(seeds[0])
    (seeds[0].folder / CARD).write_text("mine")
    write_cards(seeds[0])
    assert text_of(seeds[0]) == before


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("MIT", False),
        ("CC BY-SA 4.0", False),
        ("CC BY-NC 4.0", True),
        ("CC-BY-NC-SA", True),
        ("unknown", True),
        ("", True),
        ("Apache-2.0 for research", True),
        ("permit", True),
    ],
)
def test_licences_are_in_question_unless_plainly_open(licence: str, asks: bool) -> None:
    assert in_question(toy("A", licence=licence)) is asks
