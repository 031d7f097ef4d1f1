"""Every inner layer is tried once, a stopped search goes on, the best is what scores say."""

import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.pretraining import search
from hmnet.pretraining.run import pretrain
from hmnet.pretraining.search import Found, LayerSearch, describe_search, plan_search, run_search
from hmnet.pretraining.settings import PretrainingConfig
from hmnet.training import loop
from hmnet.training.step import train_step
from relevance.disk.files import validated
from relevance.errors import RelevanceError

Make = Callable[..., PretrainingConfig]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, folder = random.Random(0), tmp_path_factory.mktemp("search")  # noqa: S311
    words = ["the", "dog", "cat", "runs", "sleeps", "city", "old"]
    sentences = [" ".join(rng.choices(words, k=6)).capitalize() + "." for _ in range(120)]
    (folder / "corpus.txt").write_text(
        "\n\n".join(" ".join(sentences[at : at + 4]) for at in range(0, 120, 4))
    )
    write_tiny_encoder(folder / "encoder", [" ".join([*words, "."])], depth=3)
    return folder / "corpus.txt"


@pytest.fixture
def given(corpus: Path) -> dict[str, Any]:
    place = {"corpus": [str(corpus)], "backbone": str(corpus.with_name("encoder"))}
    size = {"max_length": 24, "long_share": 0, "batch_size": 4, "lr": 1e-3, "evaluate_every": 3}
    return {**place, **size, "steps": 3, "device": "cpu"}


@pytest.fixture
def make(given: dict[str, Any]) -> Make:
    return lambda **more: validated(PretrainingConfig, {**given, **more}, "settings")


@pytest.mark.parametrize("what", ["nsp-layer", "mlm-layer"])
def test_every_inner_layer_is_as_if_trained_alone(make: Make, tmp_path: Path, what: Any) -> None:
    planned = plan_search(what, make(), tmp_path / "out")
    assert list(planned.runs) == [1, 2]  # the third is the top
    found = run_search(planned)
    for layer in (1, 2):
        own = make(**{what.replace("-", "_"): str(layer) if what[0] == "n" else layer})
        alone = pretrain(own, tmp_path / f"alone-{layer}")
        assert found.scores[layer] == alone.dev
        config = json.loads((planned.folder(layer) / "config.json").read_text())
        levels = config["pretraining_levels"]
        assert levels[what[:3]] == layer
        assert {levels["mlm"], levels["nsp"]} == {layer, 3}
        assert found.value(layer) == alone.dev["mlm_loss"] + alone.dev["nsp_loss"]
    assert found.best == min((1, 2), key=found.value)
    content = json.loads((tmp_path / "out" / "search.json").read_text())
    assert content["best"] == found.best


def test_a_stopped_search_goes_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_search(plan_search("nsp-layer", make(), tmp_path / "whole"))
    steps = iter(range(100))

    def step(*arguments: Any) -> Any:
        if next(steps) == 4:  # the second of the second layer
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        with pytest.raises(KeyboardInterrupt):
            run_search(plan_search("nsp-layer", make(), tmp_path / "stopped"))
    planned = plan_search("nsp-layer", make(), tmp_path / "stopped")
    lines = list(describe_search(planned))
    assert lines[0].startswith("layer 1  finished")
    assert lines[1].startswith("layer 2  runs 3 layers, about ")
    assert lines[2].startswith("time     about ")
    trained: list[Path] = []
    monkeypatch.setattr(
        search, "pretrain", lambda c, f, **o: trained.append(f) or pretrain(c, f, **o)
    )
    assert run_search(planned).scores == whole.scores
    assert [folder.name for folder in trained] == ["layer-1", "layer-2"]


@pytest.mark.parametrize(
    ("by", "best"),
    [("loss", 2), ("mlm_loss", 1), ("nsp_loss", 3), ("mlm_accuracy", 3), ("nsp_accuracy", 1)],
)
def test_the_best_has_the_lowest_loss_or_the_highest_accuracy(by: str, best: int) -> None:
    scores = {
        1: {"mlm_loss": 1.0, "nsp_loss": 0.9, "mlm_accuracy": 0.2, "nsp_accuracy": 0.7},
        2: {"mlm_loss": 1.1, "nsp_loss": 0.6, "mlm_accuracy": 0.3, "nsp_accuracy": 0.7},
        3: {"mlm_loss": 1.4, "nsp_loss": 0.5, "mlm_accuracy": 0.4, "nsp_accuracy": 0.5},
    }
    found = Found(LayerSearch("nsp-layer", by, Path("out"), {}), scores)
    assert found.best == best
    row, column = found.place
    assert list(found.table_rows()[row].values())[column] == found.value(best)


@pytest.mark.parametrize(
    ("what", "chosen", "by", "reason"),
    [
        ("nsp-layer", {"nsp_layer": "1"}, "loss", "so that `nsp_layer=1` has no use"),
        ("nsp-layer", {"nsp_layer": "off"}, "loss", "so that `nsp_layer=off` has no use"),
        ("mlm-layer", {"mlm_layer": 1}, "loss", "so that `mlm_layer=1` has no use"),
        ("nsp-layer", {"dev_share": 0}, "loss", "`dev_share=0` holds nothing out"),
        ("nsp-layer", {}, "bigram_loss", "Unknown score 'bigram_loss'"),
        ("mlm-layer", {"nsp_layer": "off"}, "nsp_loss", "Unknown score 'nsp_loss'"),
        ("mlm-layer", {"nsp_layer": "9"}, "loss", "`nsp_layer=9` is none of the 3 layers"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    make: Make, tmp_path: Path, what: Any, chosen: dict[str, Any], by: str, reason: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        plan_search(what, make(**chosen), tmp_path / "out", by=by)
    assert reason in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_command_searches_shows_and_goes_on(corpus: Path, tmp_path: Path) -> None:
    command = [
        *("hmnet", "pretrain", "--corpus", corpus, "--backbone", corpus.with_name("encoder")),
        *("--steps", 2, "--max-length", 24, "--long-share", 0, "--batch-size", 4, "--device"),
        *("cpu", "--out", tmp_path / "out"),
    ]
    assert "--by says what --search goes by" in refused(*map(str, command), "--by", "loss")
    given = [*map(str, command), "--search", "nsp-layer"]
    assert "time     about " in done(*given, "--dry-run").out
    assert not (tmp_path / "out").exists()
    first = done(*given, "--by", "nsp_loss")
    assert "| layer |" in first.out
    assert "**" in first.out
    assert "best by nsp_loss: layer " in first.err
    assert done(*given, "--by", "nsp_loss").out == first.out
    again = refused(*given, "--lr", "1")
    assert "was started with lr = 0.0001, not 1.0" in again
