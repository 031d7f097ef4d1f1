"""Pre-training from a corpus to a folder: resumed as never stopped, taken as a backbone."""

import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertForPreTraining

from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.levels import STORED
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.pretraining import run
from hmnet.pretraining.inputs import is_long, make_inputs, make_steps
from hmnet.pretraining.job import Job, plan
from hmnet.pretraining.run import check_pretraining, pretrain
from hmnet.pretraining.settings import PretrainingConfig
from hmnet.runs.train import Note
from hmnet.training import loop
from hmnet.training.hooks.progress import Progress
from hmnet.training.step import train_step
from relevance.disk.files import validated
from relevance.errors import RelevanceError

WORDS = [
    "the",
    "film",
    "story",
    "dull",
    "great",
    "city",
    "river",
    "woman",
    "man",
    "dog",
    "cat",
    "runs",
    "sleeps",
    "sees",
    "old",
    "new",
]
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(0)  # noqa: S311

    def sentence() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(4, 9))).capitalize() + "."

    documents = [[sentence() for _ in range(rng.randint(3, 8))] for _ in range(60)]
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n\n".join(map(" ".join, documents)))
    return path


@pytest.fixture(scope="module")
def encoder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    return write_tiny_encoder(folder, corpus.read_text().split("\n"), depth=3)


@pytest.fixture
def make(corpus: Path, encoder: Path) -> Callable[..., PretrainingConfig]:
    common = {"steps": 20, "max_length": 32, "long_length": 64, "batch_size": 8, "lr": 1e-3}
    place = {"corpus": [str(corpus)], "backbone": str(encoder), "device": "cpu"}

    def made(**chosen: Any) -> PretrainingConfig:
        return validated(PretrainingConfig, {**common, **place, **chosen}, "settings")

    return made


def same(one: Path, other: Path) -> bool:
    names = ("model.safetensors", "pretraining_heads.safetensors")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@pytest.mark.parametrize("freeze", [{}, {"nsp_freeze_at": 5}])
def test_stopped_and_resumed_is_as_never_stopped(
    make: Callable[..., PretrainingConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    freeze: dict[str, int],
) -> None:
    config = make(nsp_layer=1, mlm_layer=3, bigram_layer=2, concat="nsp", **freeze)
    whole = pretrain(config, tmp_path / "whole")
    steps = iter(range(100))

    def step(*arguments: Any) -> Any:
        if next(steps) == 6:
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        with pytest.raises(KeyboardInterrupt):
            pretrain(config, tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "config.json").exists()
    seen: list[Progress | Note] = []
    resumed = pretrain(config, tmp_path / "stopped", resume=True, on_event=seen.append)
    assert [e.step for e in seen if isinstance(e, Progress)] == list(range(8, 21))
    assert same(whole.folder, resumed.folder)
    assert whole.content["evaluations"] == resumed.content["evaluations"]
    assert whole.content["frozen_at"] == resumed.content["frozen_at"] == freeze.get("nsp_freeze_at")
    logs = [(f.folder / "log.jsonl").read_text().splitlines() for f in (whole, resumed)]
    told = [
        [(r["step"], r.get("loss"), r.get("dev")) for r in map(json.loads, log)] for log in logs
    ]
    assert told[0] == told[1]
    assert not (resumed.folder / "checkpoint").exists()
    again = pretrain(config, resumed.folder, resume=True)
    assert again.content == resumed.content


def test_every_step_tells_each_objective(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    seen: list[Progress | Note] = []
    out = tmp_path / "out"
    result = pretrain(make(bigram_layer=1), out, on_event=seen.append)
    steps = [event for event in seen if isinstance(event, Progress)]
    assert [step.task for step in steps] == (["short"] * 9 + ["long"]) * 2
    assert [step.rows for step in steps[8:10]] == [{"short": 8}, {"long": 1}]
    for step in steps:
        assert step.objectives.keys() == {"mlm", "nsp", "bigram"}
        assert step.loss == pytest.approx(sum(s.loss for s in step.objectives.values()), rel=1e-5)
        assert all(0 <= s.accuracy <= 1 for s in step.objectives.values())
    assert {step.lr for step in steps} == {1e-3}
    assert result.dev.keys() == {
        f"{name}_{what}" for name in ("mlm", "nsp", "bigram") for what in ("loss", "accuracy")
    }
    assert [e["step"] for e in result.content["evaluations"]] == list(range(2, 21, 2))


def test_it_learns_and_goes_on_with_its_classifiers(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    first = pretrain(make(steps=150, lr=5e-3, long_share=0, nsp_layer="off"), tmp_path / "first")
    losses = [e["scores"]["mlm_loss"] for e in first.content["evaluations"]]
    assert losses[-1] < losses[0] - 0.1
    more = make(backbone=str(first.folder), nsp_layer="off", long_share=0, steps=1, lr=1e-9)
    seen: list[Progress | Note] = []
    second = pretrain(more, tmp_path / "second", on_event=seen.append)
    assert second.dev["mlm_loss"] == pytest.approx(losses[-1], abs=1e-4)
    assert any(isinstance(e, Note) and "with its classifiers of mlm" in e.text for e in seen)


def test_with_both_levels_at_the_top_it_is_berts_own_checkpoint_and_goes_on_from_one(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    first = pretrain(make(long_share=0), tmp_path / "first")
    theirs, loaded = BertForPreTraining.from_pretrained(first.folder, output_loading_info=True)
    assert not loaded["missing_keys"]
    assert theirs.config.pretraining_levels == {
        "mlm": 3,
        "nsp": 3,
        "bigram": None,
        "concat": "none",
    }
    theirs.save_pretrained(tmp_path / "plain")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(first.folder / name, tmp_path / "plain")
    more = make(backbone=str(tmp_path / "plain"), long_share=0, steps=1, lr=1e-9)
    second = pretrain(more, tmp_path / "second")
    for name in ("mlm_loss", "nsp_loss"):
        assert second.dev[name] == pytest.approx(first.dev[name], abs=1e-4)


def test_the_folder_is_a_backbone_up_to_its_highest_level(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    result = pretrain(make(nsp_layer=1, mlm_layer=2, concat="cls"), tmp_path / "out")
    backbone = load_backbone(str(result.folder))
    assert backbone.depth == 2
    levels = {"mlm": 2, "nsp": 1, "bigram": None, "concat": "cls"}
    assert getattr(backbone.config, STORED) == result.content["levels"] == levels
    weights = load_file(result.folder / "pretraining_heads.safetensors")
    assert weights["mlm.transform.weight"].shape == (16, 32)
    assert {name.split(".")[0] for name in weights} == {"mlm", "nsp"}
    assert AutoModel.from_pretrained(result.folder).config.num_hidden_layers == 2


def test_a_configuration_alone_begins_at_random_weights_of_the_seed(
    make: Callable[..., PretrainingConfig], encoder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    shutil.copytree(encoder, empty, ignore=shutil.ignore_patterns("*.safetensors"))
    models = [
        Job.prepare(check_pretraining(make(backbone=str(empty), seed=s), tmp_path / "out")).model
        for s in (0, 0, 1)
    ]
    weights = [dict(model.named_parameters()) for model in models]
    name = "encoder.encoder.layer.0.output.dense.weight"
    assert torch.equal(weights[0][name], weights[1][name])
    assert not torch.equal(weights[0][name], weights[2][name])
    lines = plan(check_pretraining(make(backbone=str(empty)), tmp_path / "out"))
    assert any("has no weights" in line for line in lines)
    assert lines[-1].startswith("time     about ")
    assert not (tmp_path / "out").exists()


def test_what_is_frozen_stays_as_it_was_at_that_step(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    short = make(nsp_layer=1, steps=5, long_share=0)
    frozen = make(nsp_layer=1, steps=20, nsp_freeze_at=5, long_share=0)
    one, other = pretrain(short, tmp_path / "one"), pretrain(frozen, tmp_path / "other")
    before, after = (load_file(each.folder / "model.safetensors") for each in (one, other))
    for name, weight in before.items():
        below = "embeddings" in name or ".layer.0." in name
        if below:
            assert torch.equal(weight, after[name]), name
        elif ".layer.2." in name and weight.ndim > 1:
            assert not torch.equal(weight, after[name]), name


def test_the_rule_on_dev_freezes_in_a_run_and_only_from_then_on(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    common = {"nsp_layer": 1, "long_share": 0, "evaluate_every": 2, "lr": 0.05}
    whole = pretrain(make(nsp_freeze=True, steps=40, **common), tmp_path / "whole")
    losses = [e["scores"]["nsp_loss"] for e in whole.content["evaluations"]]
    stale = [min(losses[:n]) <= min(losses[n : n + 2]) for n in range(1, len(losses) - 1)]
    at = 2 * (stale.index(True) + 3)  # by the second that is no better than the best before
    assert whole.content["frozen_at"] == at < 40
    until = pretrain(make(steps=at, **common), tmp_path / "until")
    after, before = (load_file(each.folder / "model.safetensors") for each in (whole, until))
    for name, weight in before.items():
        if "embeddings" in name or ".layer.0." in name:
            assert torch.equal(weight, after[name]), name
    assert not torch.equal(*(w["encoder.layer.2.output.dense.weight"] for w in (before, after)))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1.0])
def test_long_steps_are_spread_evenly(make: Callable[..., PretrainingConfig], share: float) -> None:
    config = make(steps=200, long_share=share)
    long = is_long(config)
    assert long.sum() == round(200 * share)
    for start in range(0, 200, 20):
        assert long[start : start + 20].sum() == round(20 * share)


def test_inputs_come_all_before_any_comes_again_and_dev_is_of_other_documents(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    config = check_pretraining(make(steps=60, long_share=0), tmp_path / "out")
    inputs = Job.prepare(config).source.inputs
    assert inputs.dev is not None
    count = len(inputs.train["short"])
    rows = [row for chunk in make_steps(inputs, config) for [(_, some)] in chunk for row in some]
    assert sorted(rows[:count]) == list(range(count))
    held = set(inputs.dev.documents.ravel())
    assert held
    assert not held & set(inputs.train["short"].documents.ravel())


def test_without_next_sentences_an_input_is_one_segment(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    config = make(nsp_layer="off", long_share=0, dev_share=0)
    pairs = Job.prepare(check_pretraining(config, tmp_path / "out")).source.inputs.train["short"]
    corpus = pairs.corpus
    assert pairs.lengths.sum() == len(corpus.ids)  # no token is lost, none comes twice
    assert pairs.lengths.max() <= 30
    owners = np.searchsorted(corpus.sentences[corpus.documents], pairs.starts[:, 0], "right") - 1
    assert (owners == pairs.documents[:, 0]).all()


@pytest.mark.parametrize(
    ("chosen", "text", "reason"),
    [
        ({"mlm_layer": 4}, None, "`mlm_layer=4` is none of the 3 layers"),
        ({"nsp_layer": "9"}, None, "`nsp_layer=9` is none of the 3 layers"),
        ({"nsp_layer": "top"}, None, "`nsp_layer=top` is neither a layer nor off"),
        ({"nsp_layer": "off", "concat": "cls"}, None, "`concat=cls` joins what next sentence"),
        ({"nsp_layer": "off", "nsp_freeze": True}, None, "`nsp_freeze` freezes what"),
        ({"nsp_freeze": True, "dev_share": 0}, None, "`dev_share=0` holds nothing out"),
        ({"lr": float("inf")}, None, "lr: Input should be a finite number"),
        ({"nsp_freeze_at": 20}, None, "is no step before the last of 20"),
        ({"long_length": 65}, None, "`long_length=65` is more than the backbone's 64 positions"),
        ({"batch_size": 5000}, None, "inputs of up to 32 tokens, fewer than a batch of 5000"),
        ({}, "A dog.\n\nA cat.\n\nA man.\n\nA city.\n\nOld.", "No document of the corpus has two"),
        ({}, "A dog runs. It sleeps.", "1 document(s), too few to hold some out"),
        ({"dev_share": 0}, "A dog runs. It sleeps.", "The corpus is one document"),
        ({}, "\n \n", "there is no text"),
        ({"corpus": ["missing.txt"]}, None, "there is no file missing.txt"),
        ({"corpus": ["No-Such-Task"]}, None, "No-Such-Task"),
        ({"corpus": ["TABLE"]}, '{"text": "A dog."}', "such as text.jsonl:text."),
        (
            {"corpus": ["MultiRC"]},
            None,
            "Name a column, such as MultiRC:question; it has question, paragraph",
        ),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_folder(
    make: Callable[..., PretrainingConfig],
    tmp_path: Path,
    chosen: dict[str, Any],
    text: str | None,
    reason: str,
) -> None:
    file = tmp_path / "text.txt"
    if chosen.get("corpus") == ["TABLE"]:
        file = tmp_path / "text.jsonl"
    if text is not None:
        file.write_text(text)
        chosen = {**chosen, "corpus": [str(file)]}
    chosen.setdefault("data_dir", str(tmp_path))
    with pytest.raises(RelevanceError) as error:
        pretrain(make(**chosen), tmp_path / "out")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_settings_and_folders_that_differ_are_refused(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    pretrain(make(steps=2), out)
    with pytest.raises(RelevanceError, match="Go on with what is in it"):
        pretrain(make(steps=2), out)
    with pytest.raises(RelevanceError, match="was started with steps = 2, not 3"):
        pretrain(make(steps=3), out, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(RelevanceError, match=f"has no {run.SETTINGS}"):
        pretrain(make(), tmp_path / "other", resume=True)


def test_it_goes_on_from_the_weights_that_it_began_with_alone(
    make: Callable[..., PretrainingConfig],
    encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = shutil.copytree(encoder, tmp_path / "own")
    config, out = make(backbone=str(own), steps=3), tmp_path / "out"

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", stopped)
        with pytest.raises(KeyboardInterrupt):
            pretrain(config, out)
    weights = load_file(own / "model.safetensors")
    name = next(name for name in weights if name.endswith("layer.2.output.dense.weight"))
    save_file({**weights, name: weights[name] + 1}, own / "model.safetensors")
    with pytest.raises(RelevanceError, match="was started with other weights or word vectors than"):
        pretrain(config, out, resume=True)
    save_file(weights, own / "model.safetensors")
    pretrain(config, out, resume=True)
    assert not (out / "start.json").exists()


def test_long_steps_are_as_long_as_the_backbone_takes_unless_chosen(
    make: Callable[..., PretrainingConfig], tmp_path: Path
) -> None:
    unsaid = make(steps=10).model_dump(exclude={"long_length"}, exclude_unset=True)
    config = check_pretraining(validated(PretrainingConfig, unsaid, "settings"), tmp_path / "out")
    assert config.long_length == 64
    assert "long inputs of up to 64 tokens" in " ".join(Job.prepare(config).notes)
    with pytest.raises(RelevanceError, match="`long_length=384` is more than the backbone's 64"):
        Job.prepare(check_pretraining(make(long_length=384), tmp_path / "out"))


def test_columns_of_tables_are_corpora_of_rows(
    make: Callable[..., PretrainingConfig], corpus: Path, tmp_path: Path
) -> None:
    rows = [{"text": row} for row in corpus.read_text().split("\n\n")]
    table = tmp_path / "rows.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))
    read = [
        Job.prepare(check_pretraining(make(corpus=[text]), tmp_path / "out")).corpus
        for text in (str(corpus), f"{table}:text", f"{table}:text@row")
    ]
    assert all(np.array_equal(read[0].ids, each.ids) for each in read)
    assert all(np.array_equal(read[0].documents, each.documents) for each in read)
    inputs = make_inputs(read[1], make())
    assert len(inputs.train["short"]) > 50
