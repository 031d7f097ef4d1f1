"""Small tasks as tables of a TOML file, and rows in files of every format."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TABLES = {
    "TONE": """
[[task]]
name = "TONE"
family = "sentiment"
kind = "classification"
text = ["sentence"]
labels = ["bad", "good"]
metrics = ["accuracy", "f1"]
""",
    "SAME": """
[[task]]
name = "SAME"
family = "pairs"
kind = "classification"
text = ["sentence1", "sentence2"]
labels = ["same", "other", "none"]
metrics = ["accuracy"]
""",
    "GRADE": """
[[task]]
name = "GRADE"
family = "sentiment"
kind = "regression"
text = ["sentence"]
range = [1, 5]
metrics = ["pearson", "spearman"]
""",
    "FACT": """
[[task]]
name = "FACT"
family = "pairs"
kind = "classification"
text = ["question", "passage"]
labels = ["no", "yes"]
metrics = ["accuracy"]
truncate = "passage"
""",
}


def definitions(suffixes: Mapping[str, str], **more: str) -> str:
    """A TOML file of the named tasks, whose rows lie in files of the given suffixes.

    More may be said of the source of each, such as its further splits.
    """
    return "".join(
        f'{TABLES[name]}source = {{ train = "{name.lower()}/train{suffix}",'
        f' dev = "{name.lower()}/dev{suffix}"{more.get(name, "")} }}\n'
        for name, suffix in suffixes.items()
    )


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows in the format that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
