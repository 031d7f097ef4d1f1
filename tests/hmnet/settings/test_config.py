"""Settings of a run: out to TOML and back, paths that mean the same everywhere, one-line errors."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.methods.method import find_method, methods
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.freeze import Freeze
from relevance.disk.files import read_toml
from relevance.errors import RelevanceError

FULL = RunConfig(
    tasks=("RTE", "/somewhere/tasks.toml"),
    data_dir=Path("/data"),
    max_train=1500,
    max_dev=500,
    backbone="minilm",
    method="hmnet",
    layers=(4, 1, 1),
    name="hmnet_m",
    epochs=2,
    max_steps_per_task=100,
    batch_size=16,
    max_length=96,
    lr=1e-4,
    seed=3,
    pooling="mean",
    precision="bf16",
    device="cpu",
    tracker="tensorboard",
)


@pytest.mark.parametrize("config", [FULL, RunConfig(tasks=("RTE",))])
def test_toml_gives_the_same_settings_back(config: RunConfig, tmp_path: Path) -> None:
    config.to_toml(tmp_path / "config.toml")
    assert RunConfig.of_run(tmp_path / "config.toml") == config


@given(lr=st.floats(1e-12, 1e3), seed=st.integers(0, 2**31), checkpoint_s=st.floats(1e-3, 1e9))
def test_numbers_survive_toml(
    tmp_path_factory: pytest.TempPathFactory, lr: float, seed: int, checkpoint_s: float
) -> None:
    path = tmp_path_factory.mktemp("toml") / "config.toml"
    config = RunConfig(tasks=("RTE",), lr=lr, seed=seed, checkpoint_s=checkpoint_s)
    config.to_toml(path)
    assert RunConfig.of_run(path) == config


def test_defaults_are_the_papers() -> None:
    settings = TrainingSettings()
    assert (settings.epochs, settings.batch_size, settings.max_length) == (3, 32, 512)
    assert settings.lr == 2e-5
    assert str(settings.sampler) == "packed"


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in RunConfig.model_fields.values())


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('lr = 1e-4\nepochs = 5\nbackbone = "minilm"\n')
    config = RunConfig(**read_toml(tmp_path / "run.toml") | {"tasks": ("RTE",), "epochs": 1})
    assert (config.lr, config.epochs, config.backbone) == (1e-4, 1, "minilm")


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder").mkdir()
    config = RunConfig(tasks=("RTE", "mine.toml"), data_dir="data", backbone="encoder")
    assert config.tasks == ("RTE", str(tmp_path / "mine.toml"))
    assert config.data_dir == tmp_path / "data"
    assert config.backbone == str(tmp_path / "encoder")
    assert RunConfig(tasks=("RTE",), backbone="bert-base-uncased").backbone == "bert-base-uncased"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "tasks = ['RTE']\nlearning_rate = 1",
            "run.toml: Unknown field 'learning_rate'.",
        ),
        (
            "tasks = ['RTE']\nepochs = 0",
            "run.toml: epochs: Input should be greater than or equal to 1, got 0.",
        ),
        ("epochs = 1", "run.toml: tasks: Field required."),
        (
            "tasks = ['RTE']\nmethod = 'hmmnet'",
            "Unknown method 'hmmnet'. Did you mean 'hmnet'?",
        ),
        (
            "tasks = ['RTE']\nlr = inf",
            "run.toml: lr: Input should be a finite number, got inf.",
        ),
        ("tasks = ['RTE']\nlr = ", "run.toml is not valid TOML: "),
    ],
)
def test_a_wrong_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(content)
    with pytest.raises(RelevanceError) as error:
        RunConfig.of_run(Path("run.toml"))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 2e-4}, "run was started with lr = 0.0001, not 0.0002."),
        ({"layers": (3, 2, 1)}, "run was started with layers = 4, 1, 1, not 3, 2, 1."),
        ({"layers": None}, "run was started with layers = 4, 1, 1, not none."),
        ({"tasks": ("RTE",)}, "run was started with tasks = RTE, /somewhere/tasks.toml, not RTE."),
    ],
)
def test_a_run_goes_on_only_with_its_settings(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        FULL.model_copy(update=change).check_resumes(FULL, Path("run"))
    hint = " Resume with the same settings, or give another `out`."
    assert str(error.value) == message + hint


def test_what_does_not_change_results_may_change() -> None:
    moved = {"device": "cuda:1", "tracker": None, "checkpoint_s": 5.0}
    FULL.model_copy(update=moved).check_resumes(FULL, Path("run"))


def test_auto_precision_is_resolved() -> None:
    config = RunConfig(tasks=("RTE",))
    assert config.resolved("cpu").precision in ("bf16", "fp32")
    assert config.resolved("cpu").model_copy(update={"precision": "auto"}) == config


def test_a_method_has_defaults_of_its_own(tmp_path: Path) -> None:
    plain = RunConfig(tasks=["RTE"])
    camtl = RunConfig(tasks=["RTE"], method="camtl: variant=released")
    assert (plain.max_length, str(plain.freeze)) == (512, "0")
    assert (str(camtl.method), str(camtl.freeze)) == ("camtl:variant=released", "50%")
    assert camtl.max_length == 128
    given = RunConfig(tasks=["RTE"], method="camtl", max_length=96, freeze="0")
    assert (given.max_length, str(given.freeze)) == (96, "0")
    given.to_toml(tmp_path / "run.toml")
    assert RunConfig.of_run(tmp_path / "run.toml") == given
    assert RunConfig(tasks=["RTE"], method="adapters").freeze == Freeze(everything=True)


CAMTL = {
    "max_length": 128,
    "freeze": Freeze(percent=50),
    "epochs": 5,
    "warmup": 0.1,
    "optimizer": "adam",
}


def test_camtl_has_the_settings_of_the_thesis_and_gives_way() -> None:
    found = RunConfig(tasks=("RTE",), method="camtl:alignment=off")
    assert {name: getattr(found, name) for name in CAMTL} == CAMTL
    assert (found.weight_decay, found.lr, found.seed) == (0.0, 2e-5, 0)
    given = {"max_length": 64, "freeze": Freeze(), "epochs": 3, "warmup": 0.0, "optimizer": "adamw"}
    other = RunConfig(tasks=("RTE",), method="camtl", **given)
    assert {name: getattr(other, name) for name in given} == given
    assert other.weight_decay == 0.01


def test_a_run_of_an_older_version_keeps_what_it_was_trained_with(tmp_path: Path) -> None:
    """It stated epochs, warm-up and weight decay, and had AdamW, which there was no word for."""
    old = RunConfig(tasks=("RTE",), method="camtl", epochs=3, warmup=0.0, optimizer="adamw")
    old.to_toml(tmp_path / "config.toml")
    lines = (tmp_path / "config.toml").read_text().splitlines(keepends=True)
    without = [line for line in lines if not line.startswith("optimizer")]
    assert len(without) == len(lines) - 1
    (tmp_path / "config.toml").write_text("".join(without))
    assert RunConfig.of_run(tmp_path / "config.toml") == old
    with pytest.raises(RelevanceError, match="started with optimizer = adamw, not adam"):
        RunConfig(**old.model_dump() | {"optimizer": "adam"}).check_resumes(old, tmp_path)


def test_every_setting_of_a_method_is_stated_by_a_run(tmp_path: Path) -> None:
    for name in methods.names():
        config = RunConfig(tasks=("RTE",), method=name)
        config.to_toml(tmp_path / "config.toml")
        stated = read_toml(tmp_path / "config.toml")
        assert stated.keys() >= find_method(name).defaults.keys()
        assert RunConfig.of_run(tmp_path / "config.toml") == config


CHOICES: dict[str, tuple[str, str]] = {
    "head": ("siamese, STS-B=cosine", "siamese, STS-B=cosine"),
    "freeze": ("1 - 4", "4"),
    "loss_weights": ("QQP=0.5, STS-B=2", "QQP=0.5, STS-B=2"),
    "sampler": ("temperature: cap=1000, temperature=2", "temperature:cap=1000"),
    "regularizer": ("smart: weight=0.1, variant=reference", "smart:weight=0.1"),
    "method": ("camtl: alignment=off,variant=paper", "camtl:alignment=off"),
}


@pytest.mark.parametrize("field", CHOICES)
def test_a_value_is_written_as_the_text_that_it_was_read_from(field: str) -> None:
    """So that settings files and cache keys stay what they were; a copy is read anew."""
    text, written = CHOICES[field]
    settings = RunConfig(tasks=("RTE",), **{field: text})
    assert not isinstance(getattr(settings, field), str)
    for mode in ("json", "python"):
        assert settings.model_dump(mode=mode)[field] == written
    assert RunConfig(**settings.model_dump()) == settings
    assert settings.model_copy(update={field: text}) == settings
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301
    assert f"{field}={written!r}" in repr(settings)
    assert field not in RunConfig(tasks=("RTE",)).model_dump(exclude_defaults=True)
