"""What of a run's folder is sent: all that `hmnet.load` needs, and no path of this machine."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from hmnet.publishing.hub import Files
from hmnet.runs.card import CARD, HUB_NAME, card, seeds_of
from hmnet.runs.folder import ADDED, ADDED_SCHEMA, CLUSTERS, CONFIG, RECORDS, SCORES, read_clusters
from hmnet.runs.rows import ROWS
from hmnet.trained_run import TrainedRun
from relevance.disk.files import json_text, read_json
from relevance.disk.manifest import MANIFEST
from relevance.disk.manifest import SCHEMA as MANIFEST_SCHEMA

AWAY = "(not uploaded)"
"""Stands for a path in what is sent; no encoder of the hub and no file can be called so."""


def run_files(run: TrainedRun) -> Files:
    """What of a run's folder is sent; paths of this machine and the log of the steps are not.

    Args:
        run: A finished run.

    Returns:
        Files that `hmnet.load` needs, and the card.
    """
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
