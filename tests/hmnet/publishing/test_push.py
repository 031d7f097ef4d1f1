"""Runs and exports on a stand-in of the hub: private, whole, without a path, asked again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from huggingface_hub import HfApi
from transformers import AutoModelForSequenceClassification

import hmnet
from hmnet.publishing.hub import Place, told, upload
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


@pytest.mark.heavy
def test_all_tasks_are_one_program_with_its_card(run: TrainedRun, hub: Hub) -> None:
    notes: list[str] = []
    hmnet.push(run, "me/all", task="all", on_note=notes.append)
    files = hub.repositories["me/all"]
    assert set(json.loads(files["tasks.json"])["tasks"]) == {"TONE", "SAME", "GRADE"}
    assert b"with an output per task" in files["README.md"]
    assert notes[-1] == f"fetched again: 0 of {len(files) - 1} files differ"


def test_a_program_that_comes_back_changed_is_told(
    run: TrainedRun, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(self: TrainedRun, task: str, out: Path, *, format: str) -> None:  # noqa: A002
        put({f"{task}.{format}": b"program", "README.md": b"card"}, out)

    monkeypatch.setattr(TrainedRun, "export", export)
    hmnet.push(run, "me/all", task="all")
    assert set(hub.repositories["me/all"]) == {".gitattributes", "all.onnx", "README.md"}
    hub.spoils = ".onnx"
    assert fails(lambda: hmnet.push(run, "me/spoiled", task="all")) == (
        "me/spoiled is uploaded, but what comes back from it is not what was sent: 1 of 2 files"
        " differ. Delete it and push again."
    )


def test_what_comes_back_changed_is_told(run: TrainedRun, hub: Hub) -> None:
    hub.spoils = ".safetensors"
    said = fails(lambda: hmnet.push(run, "same", task="SAME"))
    assert said.startswith(
        "me/same is uploaded, but what comes back from it is not what was sent: logits of 1 task(s)"
    )
    assert "is damaged" in fails(lambda: hmnet.push(run, "me/whole"))


def test_publishing_wants_licences_to_be_read(run: TrainedRun, hub: Hub) -> None:
    said = fails(lambda: hmnet.push(run, "me/open", public=True))
    assert said.endswith("Read them, then add `accept_licences=True`; or leave out `public`.")
    assert not hub.repositories
    hmnet.push(run, "me/open", task="SAME", public=True, accept_licences=True)
    assert "me/open" in hub.repositories
    assert not hub.private


@pytest.mark.parametrize("card", [b"", b"---\ntags: [other]\n---\nmine", b"relevance-hmnet"])
@pytest.mark.parametrize("replace", [False, True])
def test_files_of_others_are_left_alone(
    run: TrainedRun, hub: Hub, card: bytes, replace: bool
) -> None:
    mine = {"model.bin": b"mine", **({"README.md": card} if card else {})}
    hub.repositories["me/mine"] = dict(mine)
    assert fails(lambda: hmnet.push(run, "mine", task="SAME", replace=replace)) == (
        "me/mine exists on the hub and has files that were not pushed by this toolkit: its card has"
        " no tag relevance-hmnet. Give another name, or delete it there."
    )
    assert hub.repositories["me/mine"] == mine


def test_an_empty_repository_is_taken(run: TrainedRun, hub: Hub) -> None:
    hub.repositories["me/mine"] = {".gitattributes": b""}  # as a broken upload leaves it
    assert "is public. Add `public=True`" in fails(lambda: hmnet.push(run, "mine", task="SAME"))
    hub.private.add("me/mine")
    hmnet.push(run, "me/mine", task="SAME")
    assert "config.json" in hub.repositories["me/mine"]


def test_an_earlier_push_gives_way_where_that_is_asked(run: TrainedRun, hub: Hub) -> None:
    hmnet.push(run, "me/mine")
    before = dict(hub.repositories["me/mine"])
    assert fails(lambda: hmnet.push(run, "mine", task="SAME")) == (
        "me/mine holds an earlier push. Add `replace=True` to put this one in its place (the hub's"
        " history keeps the old files), or give another name."
    )
    assert hub.repositories["me/mine"] == before
    notes: list[str] = []
    asked = {"replace": True, "public": True, "accept_licences": True}
    hmnet.push(run, "mine", task="SAME", on_note=notes.append, **asked)
    after = hub.repositories["me/mine"]
    assert "config.json" in after
    assert not {"config.toml", "scores.csv", "model/model.safetensors"} & set(after)
    assert ".gitattributes" in after
    assert hub.private == {"me/mine"}
    assert notes[1:3] == [
        "me/mine is private and stays so; its page on the hub can change that",
        f"replacing the {len(before) - 1} files of an earlier push",
    ]


def test_a_commit_of_others_in_between_is_not_lost(
    run: TrainedRun, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hmnet.push(run, "me/mine", task="SAME")
    before = dict(hub.repositories["me/mine"])
    monkeypatch.setattr("hub.OID", "f" * 40)  # is the last one from now on
    place = Place("me/mine", "0" * 40, private=True)
    with pytest.raises(RelevanceError, match="somebody wrote there meanwhile"), told("me/mine"):
        upload(HfApi(), place, {"config.json": b"{}"}, public=False)
    assert hub.repositories["me/mine"] == before


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
