"""Runs and exports on the Hugging Face hub: private unless asked, without a path, and tried again.

What is sent has no path of the machine it comes from. It is then fetched from the hub and asked, so
that what others get answers as the run does.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hmnet.backbones.auto import quiet
from hmnet.backbones.pretrained import read_model, tokenizer_of
from hmnet.evaluation.lines import TextLine, read_lines
from hmnet.evaluation.predict import logits_of
from hmnet.kinds.kind import kind_of
from hmnet.runs.card import CARD, HUB_NAME
from hmnet.runs.folder import ADDED, ADDED_SCHEMA, CLUSTERS, CONFIG, RECORDS, SCORES, read_clusters
from hmnet.runs.rows import ROWS
from hmnet.trained_run import TrainedRun
from relevance.disk.files import json_text, read_json
from relevance.disk.manifest import MANIFEST
from relevance.disk.manifest import SCHEMA as MANIFEST_SCHEMA
from relevance.errors import RelevanceError, shown
from relevance.tasks.licences import in_question
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Files = dict[str, Path | bytes]
"""What is sent, by the place in the repository: a file, or its content."""

AWAY = "(not uploaded)"
"""Stands for a path in what is sent; no encoder of the hub and no file can be called so."""
TRIED = (("a short text", "another one", "x"), ("the film is not bad at all", "it is good", "no"))
MOST_DIFFERENCE = 1e-4


def push(
    run: TrainedRun,
    repo: str,
    *,
    task: str | None = None,
    public: bool = False,
    accept_licences: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
) -> str:
    """Upload a run, or a plain checkpoint of one of its tasks, to a new repository of the hub.

    Args:
        run: A finished run.
        repo: Name such as `me/my-model`; it must not exist, unless it is empty.
        task: Task whose path is sent as `export` writes it; None for the run's folder, which
            `hmnet.load` reads.
        public: Whether anybody can see it; private otherwise.
        accept_licences: Publish although licences of the data limit or don't tell what may be
            shared; whoever says so has read them.
        on_note: Told what the user should know, licences before anything is sent.

    Returns:
        Address of the repository.

    Raises:
        RelevanceError: If there is no token or no network, the name is wrong or taken, a licence
            stands against publishing, or what comes back from the hub answers otherwise.
    """
    api = _api(repo)
    tasks = run.tasks if task is None else (run.task(task),)
    _check_licences(tasks, public=public, accepted=accept_licences, on_note=on_note)
    with tempfile.TemporaryDirectory() as folder:
        back = Path(folder) / "fetched"
        if task is None:
            files = run_files(run)
        else:
            exported = run.export(tasks[0].name, Path(folder) / "export")
            files = {path.name: path for path in exported.iterdir()}
        with _told(repo):
            place = _new_repository(api, repo, public=public)
            on_note(f"uploading {len(files)} files to {place}")
            revision = _upload(api, place, files)
            for name in files:
                api.hf_hub_download(place, name, revision=revision, local_dir=back)
        difference = (
            _run_difference(run, TrainedRun.load(back))
            if task is None
            else _export_difference(tasks[0], Path(folder) / "export", back)
        )
    if not difference <= MOST_DIFFERENCE:
        raise RelevanceError(
            f"{place} is uploaded, but what comes back from it answers otherwise: logits differ by"
            f" {difference:.2g}. Delete it and push again."
        )
    on_note(f"fetched again: logits of {len(tasks)} task(s) differ by at most {difference:.1g}")
    return f"{api.endpoint}/{place}"


def run_files(run: TrainedRun) -> Files:
    """What of a run's folder is sent; paths of this machine and the log of the steps are not.

    Args:
        run: A finished run.

    Returns:
        Files that `hmnet.load` needs, and the card.
    """
    from hmnet.runs.card import card, seeds_of

    names = [RECORDS, ROWS, SCORES]
    files: Files = {name: run.folder / name for name in names if (run.folder / name).is_file()}
    files |= {
        path.relative_to(run.folder).as_posix(): path
        for path in sorted((run.folder / "model").rglob("*"))
        if path.is_file()
    }
    written: dict[str, str] = {CONFIG: _config_text(run)}
    if (run.folder / CLUSTERS).is_file():
        written[CLUSTERS] = _clusters_text(run.folder)
    if (run.folder / ADDED).is_file():
        additions = [{**addition, "run": AWAY} for addition in run.additions()]
        written[ADDED] = json_text(ADDED_SCHEMA, {"additions": additions}) + "\n"
    written[MANIFEST] = _manifest_text(run.folder, files, written)
    if (run.folder / CARD).is_file():
        files[CARD] = run.folder / CARD
    else:  # a run of an older version
        written[CARD] = str(card(run, seeds_of(run)))
    return files | {name: text.encode() for name, text in written.items()}


def _config_text(run: TrainedRun) -> str:
    """The settings, with nothing that says where this machine has its files."""
    config = run.config
    away = {"data_dir": None, "device": "auto", "tracker": None}
    if config.backbone != "minilm" and not HUB_NAME.fullmatch(config.backbone):
        away["backbone"] = AWAY
    text = config.model_copy(update=away).toml_text()
    for number, name in enumerate(config.tasks):
        if name.lower().endswith(".toml"):
            text = text.replace(_toml(name), _toml(f"{AWAY} {number}.toml"))
    return text


def _toml(text: str) -> str:
    """A text as it stands in TOML that we write."""
    import tomli_w

    return tomli_w.dumps({"x": text}).removeprefix("x = ").rstrip("\n")


def _clusters_text(folder: Path) -> str:
    """The groups, without the path of the matrix; its digest stays."""
    spec = read_clusters(folder)
    if spec.matrix is not None and not spec.matrix.file.startswith("paper:"):
        matrix = spec.matrix.model_copy(update={"file": AWAY})
        spec = spec.model_copy(update={"matrix": matrix})
    return spec.to_json() + "\n"


def _manifest_text(folder: Path, files: Files, written: Mapping[str, str]) -> str:
    """Digests of what stands at the top of the folder as it is sent."""
    known: dict[str, str] = {}
    if (folder / MANIFEST).is_file():
        known = read_json(folder / MANIFEST, MANIFEST_SCHEMA)["sha256"]
    sent = {name: digest for name, digest in known.items() if name in files}
    sent |= {name: sha256(text.encode()).hexdigest() for name, text in written.items()}
    return json_text(MANIFEST_SCHEMA, {"sha256": sent}) + "\n"


def _api(repo: str) -> "HfApi":
    """The hub, where its name, the network and a token allow it."""
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise RelevanceError(
            f"{shown(repo)} is no name of a repository. Give one such as me/my-model: letters,"
            " digits, '-', '_' and '.', 96 at most."
        ) from None
    if constants.HF_HUB_OFFLINE:
        raise RelevanceError("HF_HUB_OFFLINE is set, so nothing can be uploaded. Unset it.")
    if get_token() is None:
        raise RelevanceError(
            "There is no token of the Hugging Face hub. Log in with `hf auth login`, or set"
            " HF_TOKEN, with a token that may write."
        )
    return HfApi()


def _check_licences(
    tasks: tuple[Task, ...], *, public: bool, accepted: bool, on_note: Callable[[str], None]
) -> None:
    """Name the licences that have to be read first; publish only where they were."""
    asked = [f"{task.name} ({task.licence})" for task in tasks if in_question(task)]
    if not asked:
        return
    limits = f"Licences of the data limit or do not tell what may be shared: {', '.join(asked)}."
    if public and not accepted:
        raise RelevanceError(
            f"{limits} Read them, then add `accept_licences=True`; or leave out `public`."
        )
    on_note(limits)


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """Say in one line what the hub, or the way to it, has against it."""
    from huggingface_hub.errors import HfHubHTTPError

    http_error: type[Exception] = HfHubHTTPError.__mro__[
        1
    ]  # of whichever library the hub's client uses
    try:
        yield
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        reason = {
            401: "the token is not valid. Log in again with `hf auth login`",
            403: "the token may not write there. Take one that may, or another name",
            404: "there is no such user or organization, or the token may not see it",
        }.get(status or 0, f"{_first_line(error)}. The same command tries again")
        raise RelevanceError(f"{repo} cannot be uploaded: {reason}.") from None
    except (http_error, OSError) as error:
        raise RelevanceError(
            f"{repo} cannot be uploaded: the hub is not reached ({_first_line(error)})."
            " Look at the network, then run the same command again."
        ) from None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\s+", " ", lines[0])[:200].rstrip(".")


def _new_repository(api: "HfApi", repo: str, *, public: bool) -> str:
    """Make a repository, or take an empty one that is at most as visible; its full name."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return str(api.create_repo(repo, private=not public).repo_id)
    except HfHubHTTPError as error:
        if getattr(error.response, "status_code", None) != 409:
            raise
    if "/" not in repo:
        repo = f"{api.whoami()['name']}/{repo}"
    info = api.model_info(repo)
    if {file.rfilename for file in info.siblings or ()} - {".gitattributes"}:
        raise RelevanceError(
            f"{repo} exists on the hub and has files. Give another name, or delete it there."
        )
    if not public and not info.private:
        raise RelevanceError(
            f"{repo} exists on the hub and is public. Add `public=True` if that is meant, or give"
            " another name."
        )
    return repo


def _upload(api: "HfApi", repo: str, files: Files) -> str:
    """Send all files in one commit; its name."""
    from huggingface_hub import CommitOperationAdd

    additions = [
        CommitOperationAdd(name, str(file) if isinstance(file, PurePath) else file)
        for name, file in files.items()
    ]
    done = api.create_commit(repo, additions, commit_message="Upload with relevance-hmnet")
    return str(done.oid)


def _run_difference(run: TrainedRun, other: TrainedRun) -> float:
    """Largest difference of logits of two runs over all tasks; NaN where they have other shapes."""
    found = [
        _difference(one, same)
        for task in run.tasks
        for one, same in zip(_run_logits(run, task), _run_logits(other, task), strict=True)
    ]
    return float(np.max(found))


def _run_logits(run: TrainedRun, task: Task) -> list[Any]:
    model = {task.name: run.model_for(task.name)}
    if kind_of(task).further is None:
        rows = [{"text": list(texts[: len(task.text)])} for texts in TRIED]
        lines = list(read_lines([task], rows, "input"))
    else:  # `text` cannot say alternatives and marks; a plain text is one, or has one
        lines = [TextLine({task.name: (*texts, "x")[: task.parts]}, {}) for texts in TRIED]
    return logits_of(model, [task], lines, run.tokenizer, max_length=run.config.max_length)[
        task.name
    ]


def _export_difference(task: Task, folder: Path, other: Path) -> float:
    """Largest difference of the outputs of two plain checkpoints."""
    outputs = zip(_outputs(task, folder), _outputs(task, other), strict=True)
    return float(np.max([_difference(one, same) for one, same in outputs]))


def _outputs(task: Task, folder: Path) -> list[Any]:
    with quiet(), torch.inference_mode():
        model, _ = read_model(folder, kind_of(task).auto)
        texts = TRIED[1][: min(len(task.text), 2)]
        read = tokenizer_of(folder)(*texts, return_tensors="pt", truncation=True)
        if kind_of(task).further == "alternatives":
            read = {name: ids.unsqueeze(0) for name, ids in read.items()}
        answer = model.eval()(**read)
    return [value.float().numpy() for value in answer.to_tuple() if torch.is_tensor(value)]


def _difference(one: Any, other: Any) -> float:
    """Largest difference of two arrays; NaN where they have other shapes or numbers are missing."""
    if one.shape != other.shape:
        return float("nan")
    return float(np.abs(one - other).max(initial=0.0))
