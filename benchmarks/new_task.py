"""As whose copy should a new task start? `nearest` against every other choice, on real tasks.

    python benchmarks/new_task.py RUN --tasks SNLI IMDB BoolQ --relevance gains.json --out new/

Adds each task to a trained run (`benchmarks/studies/camtl.sh` makes one) with a copy of each of the
run's tasks and with random weights, on several shares of its rows, and reads off what `nearest`
would have chosen by vocabulary and by a matrix that has the new tasks. `best` is the best copy on
the very rows it is scored on. Stopped and started again it goes on where it was.
"""

import argparse
import os
from pathlib import Path

import torch
from nearest import row_of, rows_trained, scores_by_start

from hmnet.runs.folder import load_run
from relevance.matrices.matrix import load_matrix
from relevance.measures.vocabulary import Vocabulary
from relevance.report.tables import table
from relevance.tasks.find import find_tasks
from relevance.text.tokenizers import load_tokenizer


def main() -> None:
    """Print a row per new task and share of its rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--relevance", type=Path, required=True)
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.1, 1.0])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--max-train", type=int, help="rows of a new task; the run's limit if none")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    run = load_run(options.run)
    tokenizer = load_tokenizer(str(next(iter(run.blueprints))))
    gains = load_matrix(options.relevance)
    rows = []
    for new in find_tasks(options.tasks):
        vocabulary = Vocabulary(tokenizer, run.config.data).measure((*run.tasks, new))
        matrices = {"vocabulary": vocabulary, gains.measure: gains}
        for fraction in options.fractions:
            folder = options.out / new.slug
            starts = scores_by_start(
                run, new.name, new.name, fraction, options.epochs, folder, options.max_train
            )
            found = dict(starts)
            row = row_of(new.name, found, matrices)
            percent = {name: 100 * value for name, value in row.items()}
            count = rows_trained(folder, fraction, new.name)
            rows.append({"task": new.name, "rows": f"{count:,}", **percent})
    print(table(rows, "markdown", decimals=1))


if __name__ == "__main__":
    main()
