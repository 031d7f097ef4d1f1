"""Runs and probed encoders as tables see them: scores, and facts that tell them apart."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePath

from hmnet.backbones.backbone import load_config
from hmnet.backbones.levels import levels_of
from hmnet.pretraining.run import SETTINGS as PRETRAINING
from hmnet.runs.folder import Run, load_run, runs_under
from hmnet.runs.rows import read_run_scores
from hmnet.runs.scores import Score, from_rows
from hmnet.settings.config import RunConfig
from relevance.disk.files import read_text, read_toml
from relevance.errors import RelevanceError
from relevance.escaping import from_csv

PROBING = "probing.csv"
LEVELS = ("pretrained_concat", "mlm_layer", "nsp_layer", "bigram_layer")
FACTS = (*RunConfig.model_fields, *LEVELS, "corpus", "vector")
"""Names of facts: settings of a run, what its backbone was pre-trained with, and a probing's."""

UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class ComparedRun:
    """A run, or a probed encoder, as tables see it.

    Attributes:
        folder: Where it is.
        facts: What it is, by each of `FACTS`; empty where that means nothing for it.
        scores: Its scores, with the majority class beside them; a probed encoder's are those of one
            layer.
        notes: What the reader should know of it.
    """

    folder: Path
    facts: Mapping[str, str]
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = ()


def read_compared(folders: Iterable[Path]) -> list[ComparedRun]:
    """Read runs, folders of seeds, and what `hmnet probe` wrote.

    Args:
        folders: Each a run, a folder with `seed-0/` and so on, or one with a `probing.csv`.

    Returns:
        In the order of the folders.

    Raises:
        RelevanceError: If a folder is none of these, or a file in it is damaged.
    """
    found = []
    for folder in folders:
        if (folder / PROBING).is_file():
            found.append(_probed(folder))
        else:
            found += [_of_run(load_run(run)) for run in runs_under(folder)]
    return found


def _of_run(run: Run) -> ComparedRun:
    settings = {name: _text(value) for name, value in run.config.values().items()}
    settings["name"] = run.config.label
    levels = levels_of(load_config(str(next(iter(run.blueprints)))))
    facts = {"pretrained_concat": "none", "corpus": _corpus(run.config.backbone)}
    notes = []
    if levels is not None:
        values = (levels.concat, levels.mlm, levels.nsp, levels.bigram)
        facts |= dict(zip(LEVELS, map(_text, values), strict=True))
        if not facts["corpus"]:
            facts["corpus"] = UNKNOWN
            notes.append(
                f"What {run.folder} was pre-trained on is not known: its backbone"
                f" {run.config.backbone} has no {PRETRAINING} any more."
            )
    scores = from_rows(read_run_scores(run.folder))
    known = dict.fromkeys(FACTS, "") | settings | facts
    return ComparedRun(run.folder, known, tuple(scores), tuple(notes))


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _corpus(backbone: str) -> str:
    """What a backbone was pre-trained on: its texts, each by no more than the end of its path."""
    file = Path(backbone) / PRETRAINING
    if not file.is_file():
        return ""
    corpus = read_toml(file).get("corpus")
    if not isinstance(corpus, list):
        raise RelevanceError(f"{file}: `corpus` is no list. Give it as `hmnet pretrain` wrote it.")
    return ", ".join("/".join(PurePath(str(text)).parts[-2:]) for text in corpus)


def _probed(folder: Path) -> ComparedRun:
    """A probed encoder: of each task the layer that is read of it."""
    rows = list(_rows(folder / PROBING))
    first = rows[0]
    name = first.name or first.encoder.rstrip("/") or first.encoder
    chosen = [_read_layer(list(of)) for _, of in groupby(rows, key=lambda row: row.task)]
    scores = tuple(
        Score(name, "probing", row.task, "test", "accuracy", row.seed, row.accuracy, row.majority,
              row.counts)
        for row in chosen
    )  # fmt: skip
    facts = {"name": name, "backbone": first.encoder, "seed": str(first.seed)}
    layers = dict.fromkeys(f"{row.layer} ({row.level or 'the top'})" for row in chosen)
    note = f"{name} ({folder}) was probed at layer {', '.join(layers)}, vector {first.vector}."
    known = dict.fromkeys(FACTS, "") | facts | {"vector": first.vector}
    return ComparedRun(folder, known, scores, (note,))


@dataclass(frozen=True)
class _ProbedLayer:
    """A row of `probing.csv`."""

    name: str
    encoder: str
    vector: str
    task: str
    level: str
    seed: int
    layer: int
    accuracy: float
    majority: float
    counts: str


def _rows(path: Path) -> Iterator[_ProbedLayer]:
    """The rows of a `probing.csv`, one at least."""
    number = 0
    for number, row in enumerate(csv.DictReader(io.StringIO(read_text(path))), start=1):
        try:
            texts = {name: from_csv(row[name]) for name in ("encoder", "vector", "task", "level")}
            counts = "/".join(row[name] for name in ("labels", "train_rows", "test_rows"))
            yield _ProbedLayer(
                name=from_csv(row.get("name") or ""),
                **texts,
                seed=int(row["seed"]),
                layer=int(row["layer"]),
                accuracy=float(row["accuracy"]),
                majority=float(row["majority"]),
                counts=counts,
            )
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
            raise RelevanceError(
                f"{path}, row {number} is not what `hmnet probe` writes. Probe again."
            ) from None
    if not number:
        raise RelevanceError(f"{path} has no rows. Probe again with `hmnet probe`.")


def _read_layer(rows: list[_ProbedLayer]) -> _ProbedLayer:
    """The layer of sentences: that of NSP, else that of masked tokens, else the top."""
    for objective in ("NSP", "MLM"):
        for row in rows:
            if objective in row.level.split("+"):
                return row
    return max(rows, key=lambda row: row.layer)
