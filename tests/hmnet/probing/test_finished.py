"""Tasks that are finished are not trained again, by anything that decides their accuracies."""

from pathlib import Path
from typing import Any

import pytest

from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.probing import finished
from hmnet.probing.probing import Probed, run_probing
from hmnet.probing.settings import ProbingConfig
from relevance.disk.files import cache_dir

WORDS = [f"w{number}" for number in range(12)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny") / "e"
    return str(write_tiny_encoder(folder, WORDS, width=16, depth=1))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    texts = [f"{a} {b}" for a in WORDS for b in WORDS]
    for name in ("first", "second"):
        rows = [
            f"{'te' if place % 3 else 'tr'}\t{place // 7 % 2}\t{text}\n"
            for place, text in enumerate(texts)
        ]
        (folder / f"{name}.txt").write_text("".join(rows))
    return folder


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks whose classifiers are trained, as they come."""
    names: list[str] = []
    tell = finished.tell

    def counted(task: Any, *others: Any) -> Any:
        told = tell(task, *others)
        names.append(task.name)
        return told

    monkeypatch.setattr(finished, "tell", counted)
    return names


def probed(encoder: str, data: Path, **settings: Any) -> Probed:
    return run_probing(
        encoder, ProbingConfig(data=data, **{"max_length": 8, "epochs": 1} | settings)
    )


def test_a_second_call_trains_none_and_says_the_same(
    encoder: str, data: Path, trained: list[str]
) -> None:
    first = probed(encoder, data)
    assert trained == ["first", "second"]
    for file in cache_dir().glob("features/*/*.npy"):
        file.unlink()  # vectors are not needed where accuracies are kept
    assert probed(encoder, data).told == first.told
    assert probed(encoder, data, tasks=("second",)).told == {"second": first.told["second"]}
    assert trained == ["first", "second"]
    assert not list(cache_dir().glob("features/*/*.npy"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", 1),
        ("epochs", 2),
        ("lr", 0.01),
        ("batch_size", 8),
        ("standardize", False),
        ("vector", "mean"),
        ("max_length", 7),
        ("precision", "bf16"),
    ],
)
def test_another_setting_trains_again(
    encoder: str, data: Path, trained: list[str], setting: str, value: Any
) -> None:
    usual = {"tasks": ("first",), "precision": "fp32"}
    probed(encoder, data, **usual)
    probed(encoder, data, **usual | {setting: value})
    assert trained == ["first", "first"]


def test_other_rows_or_another_encoder_train_again(
    encoder: str, data: Path, trained: list[str], tmp_path: Path
) -> None:
    probed(encoder, data, tasks=("first",))
    lines = (data / "first.txt").read_text().splitlines()
    split, label, sentence = lines[0].split("\t")
    lines[0] = f"{split}\t{1 - int(label)}\t{sentence}"
    (data / "first.txt").write_text("\n".join(lines))
    probed(encoder, data, tasks=("first",))
    other = write_tiny_encoder(tmp_path / "other", WORDS, width=16, depth=2)
    probed(str(other), data, tasks=("first",))
    assert trained == ["first"] * 3


def test_what_is_interrupted_goes_on(
    encoder: str, data: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = finished.tell

    def stopped(task: Any, *others: Any) -> Any:
        if task.name == "second":
            raise KeyboardInterrupt
        return counted(task, *others)

    with monkeypatch.context() as patch:
        patch.setattr(finished, "tell", stopped)
        with pytest.raises(KeyboardInterrupt):
            probed(encoder, data)
    assert trained == ["first"]
    probed(encoder, data)
    assert trained == ["first", "second"]


def test_a_damaged_result_is_worked_out_again(encoder: str, data: Path, trained: list[str]) -> None:
    first = probed(encoder, data, tasks=("first",))
    (file,) = cache_dir().glob("jobs/*/result.json")
    file.write_text(file.read_text().replace('"epoch":1', '"epoch":2'))
    assert probed(encoder, data, tasks=("first",)).told == first.told
    assert trained == ["first", "first"]
