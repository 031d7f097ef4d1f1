"""As whose copy should a new task start? `nearest` against every other choice, on planted families.

    python benchmarks/nearest.py --out nearest/

El Hattami (2021) leaves open how to choose the embedding that a new task starts from. Here CA-MTL
is trained on seven of the eight generated tasks (`relevance/tasks/generated.py`), and the eighth is
added with a copy of each of the seven, and with random embeddings, on several shares of its rows.
Its labels have names of their own, so no output layer is ever borrowed. What `nearest` would have
chosen is read off three matrices: overlap of vocabularies, which is misleading here by design;
joint-training gains of one seed, measured with all rows of the new task whatever share is trained;
and the planted families. `best` is the best of the seven on the
very rows it is scored on, a ceiling that no choice made in advance can pass.

Stopped and started again it goes on where it was.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import torch

from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.extension.add_task import add_tasks
from hmnet.measuring.joint_trainer import make_trainer
from hmnet.runs.folder import SCORES, Run, load_run
from hmnet.runs.scores import MAJORITY, read_scores
from hmnet.runs.train import train_run
from hmnet.settings.addition import Addition
from hmnet.settings.config import RunConfig
from relevance.clustering.assign import relevance_to
from relevance.disk.files import write_text
from relevance.jobs.job import Schedule
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs
from relevance.measures.taxonomy import Taxonomy
from relevance.measures.vocabulary import Vocabulary
from relevance.report.tables import table
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks, write_tasks
from relevance.tasks.generated import generate_tasks
from relevance.tasks.load import load_split
from relevance.tasks.task import Task
from relevance.text.tokenizers import load_tokenizer

ROWS, DEV_ROWS = 160, 300
SETTINGS = {
    "max_train": ROWS,
    "max_length": 32,
    "batch_size": 16,
    "lr": 2e-3,
    "device": "cpu",
    "precision": "fp32",
    "freeze": "0",
}
METHOD = "camtl:attention=full-block"
DRAWN = ("random", "xavier")


def write_halves(folder: Path, tasks: list[Task], held_out: str) -> tuple[Path, Path]:
    """Definitions of the old tasks, and of the new one with other names for its labels."""
    (new,) = (task for task in tasks if task.name == held_out)
    files = {}
    for split in ("train", "dev"):
        rows = load_split(new, split, None)
        lines = [
            json.dumps({"sentence": text, "label": f"{held_out} {code}"}) + "\n"
            for text, code in zip(rows.texts[0], rows.labels.tolist(), strict=True)
        ]
        files[split] = folder / f"{held_out}-{split}.jsonl"
        write_text(files[split], "".join(lines))
    renamed = new.model_copy(
        update={
            "labels": (f"{held_out} 0", f"{held_out} 1"),
            "source": new.source.model_copy(update={s: str(f) for s, f in files.items()}),
        }
    )
    old = [task for task in tasks if task is not new]
    paths = folder / "old.toml", folder / "new.toml"
    for path, chosen in zip(paths, (old, [renamed]), strict=True):
        write_tasks(path, chosen)
    return paths


def measured(
    folder: Path, tasks: tuple[Task, ...], encoder: Path, epochs: int
) -> dict[str, RelevanceMatrix]:
    """What says which task is nearest."""
    data = DataOptions(None, ROWS, DEV_ROWS)
    gains = folder / "gains.json"
    if not gains.exists():
        settings = {**SETTINGS, "epochs": epochs, "backbone": str(encoder)}
        inputs = Inputs(
            data=data,
            trainer=lambda: make_trainer(tasks, settings, device="cpu"),
            schedule=lambda: Schedule(threads=1),
        )
        JointTraining.build(inputs).measure(tasks).save(gains)
    return {
        "vocabulary": Vocabulary(load_tokenizer(str(encoder)), data).measure(tasks),
        "gains": load_matrix(gains),
        "families": Taxonomy().measure(tasks),
    }


def scores_by_start(
    run: Run,
    new: Path | str,
    held_out: str,
    fraction: float,
    epochs: int,
    folder: Path,
    max_train: int | None = None,
) -> Iterator[tuple[str, float]]:
    """Primary metric of the new task on dev for every start, and that of the majority class."""
    for init in (*(task.name for task in run.tasks), *DRAWN):
        larger = add_tasks(
            run,
            Addition(tasks=(str(new),), init=init, fraction=fraction, max_train=max_train),
            folder / f"{init}-{fraction:g}",
            settings={"epochs": epochs},
            resume=True,
        )
        primary = larger.task(held_out).primary
        scores = [
            score
            for score in read_scores(larger.folder / SCORES)
            if (score.task, score.metric) == (held_out, primary)
        ]
        yield init, next(score.value for score in scores if score.method != MAJORITY)
    yield MAJORITY, next(score.value for score in scores if score.method == MAJORITY)


def row_of(
    held_out: str, found: dict[str, float], matrices: dict[str, RelevanceMatrix]
) -> dict[str, float]:
    """What each way to choose comes to; the mean where several tasks are equally near."""
    old = [name for name in found if name not in (*DRAWN, MAJORITY)]
    nearest = {}
    for name, matrix in matrices.items():
        relevance = relevance_to(held_out, matrix, old)
        largest = max(relevance.values())
        nearest[f"nearest, {name}"] = fmean(
            found[task] for task, value in relevance.items() if value == largest
        )
    of_old = [found[name] for name in old]
    drawn = {name: found[name] for name in (*DRAWN, MAJORITY)}
    return {**nearest, "best": max(of_old), "mean of copies": fmean(of_old), **drawn}


def rows_trained(folder: Path, fraction: float, held_out: str) -> int:
    """How many rows of the new task a share came to: a batch at least."""
    larger = load_run(folder / f"{DRAWN[0]}-{fraction:g}")
    rows: int = larger.additions()[-1]["tasks"][held_out]["rows"]
    return rows


def main() -> None:
    """Print a row per share of the rows, means over the tasks that were held out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--held-out", nargs="+", default=["REVIEWS", "CAPTIONS", "DIARIES", "BASKETS"]
    )
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.01, 0.25, 1.0])
    parser.add_argument("--epochs", type=int, default=40, help="of the seven tasks and of the new")
    options = parser.parse_args()
    options.out = options.out.absolute()
    torch.set_num_threads(1)
    os.environ["RELEVANCE_CACHE"] = str(options.out / "cache")
    tasks = find_tasks([str(generate_tasks(options.out / "tasks", dev_rows=DEV_ROWS))])
    texts = [text for task in tasks for text in load_split(task, "train", None).texts[0]]
    encoder = write_tiny_encoder(options.out / "encoder", texts, width=24)
    matrices = measured(options.out, tasks, encoder, options.epochs // 2)
    rows = []
    for held_out in options.held_out:
        folder = options.out / held_out
        old, new = write_halves(folder, list(tasks), held_out)
        config = RunConfig(
            tasks=(str(old),),
            backbone=str(encoder),
            method=METHOD,
            epochs=options.epochs,
            **SETTINGS,
        )
        run = train_run(config, None, folder / "run", resume=True)
        for fraction in options.fractions:
            found = dict(scores_by_start(run, new, held_out, fraction, options.epochs, folder))
            row = row_of(held_out, found, matrices)
            count = rows_trained(folder, fraction, held_out)
            rows.append({"task": held_out, "rows": f"{count} of {ROWS}", **row})
    means = [
        {"task": "mean", "rows": share}
        | {
            column: fmean(row[column] for row in rows if row["rows"] == share)
            for column in rows[0]
            if column not in ("task", "rows")
        }
        for share in dict.fromkeys(row["rows"] for row in rows)
    ]
    percent = [
        {name: 100 * value if isinstance(value, float) else value for name, value in row.items()}
        for row in (*rows, *means)
    ]
    print(table(percent, "markdown", decimals=1))


if __name__ == "__main__":
    main()
