"""Time of loading every task at hand, of which few rows are drawn, and of its checks cell by cell.

    python benchmarks/loading.py ../shared/data
    python benchmarks/loading.py ../shared/data --type-checks

Every row of a file is checked, whichever are drawn: a column at a time, so that a column of nothing
but texts takes one look, and each different label one. The second time is what it takes to call the
check of a cell for every text, and that of a label for every label of a classification, as was done
before. `--type-checks` has shapes and types of every call checked, as the tests have. Times are of
the processor.
"""

import argparse
import time
from pathlib import Path


def main() -> None:
    """Print both times and how often a check is called."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--type-checks", action="store_true")
    given = parser.parse_args()
    if given.type_checks:
        from jaxtyping import install_import_hook

        install_import_hook(["relevance"], "beartype.beartype")
    from relevance.tasks.check import cell_reader
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import catalogue
    from relevance.tasks.labels import LabelNames
    from relevance.tasks.load import load_task, split_file
    from relevance.tasks.read import read_columns

    options = DataOptions(given.data_dir, max_train=given.rows, max_dev=given.rows)
    every = catalogue().values()
    files = [
        (task, [split_file(task, split, given.data_dir) for split in ("train", "dev")])
        for task in every
    ]
    at_hand = [(task, [train, dev]) for task, (train, dev) in files if train and dev]
    loading_s = cells_s = 0.0
    cells = 0
    for task, paths in at_hand:
        begin_s = time.process_time()
        load_task(task, options)
        loading_s += time.process_time() - begin_s
        for path in paths:
            columns = read_columns(path, task.columns)
            begin_s = time.process_time()
            for name in task.text:
                read = cell_reader(task, name)
                cells += len([read(cell) for cell in columns[name]])
            if task.labels and task.kind != "tokens":
                known = LabelNames(task.labels)
                cells += len([known.code(label) for label in columns[task.label]])
            cells_s += time.process_time() - begin_s
    print(
        f"{len(at_hand)} tasks, {given.rows} rows drawn of each: loading {loading_s:.1f} s;"
        f" {cells:,} cells one by one {cells_s:.1f} s more, {1 + cells_s / loading_s:.1f} times"
    )


if __name__ == "__main__":
    main()
