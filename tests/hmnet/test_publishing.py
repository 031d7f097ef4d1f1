"""Runs and exports on a stand-in of the hub: private, whole, without a path, asked again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from transformers import AutoModelForSequenceClassification

import hmnet
from hmnet.runs.folder import read_clusters
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.trained_run import TrainedRun
from hub import TOKEN, Hub, served
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError


@pytest.fixture(scope="module")
def run(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("secret place")
    (folder / "gains.json").write_text("{}")
    spec = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)), method="kmeans", k=2, seed=0)
    brief = {"max_steps_per_task": 1, "epochs": 1, "method": "hmnet", "layers": (1, 2, 1)}
    settings = config.model_copy(update=brief)
    train_run(settings, spec.made_from(folder / "gains.json"), folder / "run")
    return TrainedRun.load(folder / "run")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with served(Hub()) as there:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", there.endpoint)
        template = there.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield there


def fails(act: Callable[[], object]) -> str:
    with pytest.raises(RelevanceError) as error:
        act()
    assert "\n" not in str(error.value)
    return str(error.value)


def put(files: dict[str, bytes], folder: Path) -> Path:
    for place, content in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    return folder


def test_a_whole_run_comes_back_and_answers_as_before(
    run: TrainedRun, hub: Hub, tmp_path: Path
) -> None:
    notes: list[str] = []
    assert hmnet.push(run, "me/groups", on_note=notes.append) == f"{hub.endpoint}/me/groups"
    assert hub.private == {"me/groups"}
    assert notes[0] == (
        "Licences of the data limit or do not tell what may be shared: TONE (unknown), SAME"
        " (unknown), GRADE (unknown)."
    )
    assert notes[-1] == "fetched again: logits of 3 task(s) differ by at most 0"
    files = hub.repositories["me/groups"]
    back = TrainedRun.load(put(files, tmp_path / "back"))
    rows = ["a good film", "bad"]
    assert back.predict(rows, "TONE") == run.predict(rows, "TONE")
    assert back.config.lr == run.config.lr
    assert not {"log.jsonl", "checkpoint"} & set(files)
    for content in files.values():
        for path in (str(run.folder.parent), run.config.tasks[0], run.config.backbone):
            assert path.encode() not in content


def test_what_came_back_is_checked_as_any_run(run: TrainedRun, hub: Hub, tmp_path: Path) -> None:
    hmnet.push(run, "me/groups")
    back = put(hub.repositories["me/groups"], tmp_path / "back")
    (back / "clusters.json").write_text("{}")
    with pytest.raises(RelevanceError, match=r"clusters\.json is damaged"):
        read_clusters(back)


def test_one_task_is_a_plain_checkpoint(run: TrainedRun, hub: Hub, tmp_path: Path) -> None:
    hmnet.push(run, "same", task="same")
    back = put(hub.repositories["me/same"], tmp_path / "back")
    model = AutoModelForSequenceClassification.from_pretrained(back)
    assert list(model.config.id2label.values()) == ["same", "other", "none"]
    assert (back / "README.md").is_file()


def test_what_comes_back_changed_is_told(run: TrainedRun, hub: Hub) -> None:
    hub.spoils = ".safetensors"
    said = fails(lambda: hmnet.push(run, "same", task="SAME"))
    assert said.startswith("me/same is uploaded, but what comes back from it answers otherwise")
    assert "is damaged" in fails(lambda: hmnet.push(run, "me/whole"))


def test_publishing_wants_licences_to_be_read(run: TrainedRun, hub: Hub) -> None:
    said = fails(lambda: hmnet.push(run, "me/open", public=True))
    assert said.endswith("Read them, then add `accept_licences=True`; or leave out `public`.")
    assert not hub.repositories
    hmnet.push(run, "me/open", task="SAME", public=True, accept_licences=True)
    assert "me/open" in hub.repositories
    assert not hub.private


def test_a_repository_with_files_is_left_alone(run: TrainedRun, hub: Hub) -> None:
    hub.repositories["me/mine"] = {"model.bin": b"mine"}
    said = fails(lambda: hmnet.push(run, "mine", task="SAME"))
    assert said == (
        "me/mine exists on the hub and has files. Give another name, or delete it there."
    )
    assert hub.repositories["me/mine"] == {"model.bin": b"mine"}
    hub.repositories["me/mine"] = {".gitattributes": b""}  # as a broken upload leaves it
    assert "is public. Add `public=True`" in fails(lambda: hmnet.push(run, "mine", task="SAME"))
    hub.private.add("me/mine")
    hmnet.push(run, "me/mine", task="SAME")
    assert "config.json" in hub.repositories["me/mine"]


@pytest.mark.parametrize("name", ["", "a/b/c", "../up", "me/<img src=x>", "me/mo del", "me/ä", "-"])
def test_a_wrong_name_is_one_line(run: TrainedRun, hub: Hub, name: str) -> None:
    assert "is no name of a repository" in fails(lambda: hmnet.push(run, name))
    assert not hub.requests


def test_what_stands_in_the_way_is_one_line(
    run: TrainedRun, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def push() -> object:
        return hmnet.push(run, "me/groups", task="SAME")

    assert "the token may not write there" in fails(
        lambda: hmnet.push(run, "google/bert", task="SAME")
    )
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "the token is not valid" in fails(push)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "the hub is not reached" in fails(push)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert fails(push) == "HF_HUB_OFFLINE is set, so nothing can be uploaded. Unset it."
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert fails(push) == (
        "There is no token of the Hugging Face hub. Log in with `hf auth login`, or set HF_TOKEN,"
        " with a token that may write."
    )
    assert not hub.repositories
