"""Labels as files hold them: one meaning in every format, and no guess where there are two."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.tasks.labels import LabelNames
from relevance.tasks.load import load_split
from relevance.tasks.task import Task

SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".tsv")


def task(labels: Sequence[str], source: Any) -> Task:
    fields = {"name": "T", "family": "f", "kind": "classification", "text": ["s"]}
    return Task.model_validate(
        fields | {"labels": labels, "metrics": ["accuracy"], "source": source}
    )


def read(
    folder: Path, suffix: str, labels: Sequence[str], values: Sequence[Any]
) -> list[str] | str:
    """Names of the labels that a file of this format holds, or the refusal."""
    path = folder / "t" / f"dev{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"s": "text", "label": value} for value in values]
    if suffix == ".parquet":
        pq.write_table(pa.table({"s": ["text"] * len(values), "label": values}), path)
    elif suffix.startswith(".json"):
        lines = [json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else f"[{','.join(lines)}]")
    else:
        with path.open("w", newline="") as file:
            writer = csv.writer(file, delimiter="," if suffix == ".csv" else "\t")
            writer.writerows([["s", "label"], *(row.values() for row in rows)])
    source = {"train": str(path), "dev": str(path)}
    try:
        split = load_split(task(labels, source), "dev", None)
    except RelevanceError as error:
        return str(error)
    return [labels[code] for code in split.labels]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        (["0.0", "0.5", "1.0"], [0.0, 0.5, 1.0, 1.0], ["0.0", "0.5", "1.0", "1.0"]),
        (["0.0", "0.5", "1.0"], ["1.0", "0.5"], ["1.0", "0.5"]),
        (["1.0", "2.0", "3.0"], [1.0, 2.0], ["1.0", "2.0"]),
        (["1.0", "2.0", "3.0"], [1, 2], ["1.0", "2.0"]),
        (["1", "2", "3"], [1.0, 3.0], ["1", "3"]),
        (["1", "0"], [1, 0], ["1", "0"]),
        (["1", "0"], [1.0, 0.0], ["1", "0"]),
        (["-1", "1"], [-1.0, 1.0], ["-1", "1"]),
        (["no", "yes"], [1.0, 0.0], ["yes", "no"]),
        (["no", "yes"], ["1.0", "0"], ["yes", "no"]),
        (["no", "yes"], ["yes", "1"], ["yes", "yes"]),
        (["false", "true"], [True, False], ["true", "false"]),
        (["False", "True"], [True, False], ["True", "False"]),
        (["1", "1.0"], ["1", "1.0"], ["1", "1.0"]),
    ],
)
def test_one_meaning_in_every_format(
    tmp_path: Path, suffix: str, labels: list[str], values: list[Any], expected: list[str]
) -> None:
    assert read(tmp_path, suffix, labels, values) == expected


@given(
    labels=st.lists(
        st.sampled_from(["0", "1", "2", "0.5", "1.0", "-1", "a", "A", "true", "none", "1e3"]),
        min_size=2,
        max_size=4,
        unique=True,
    ),
    number=st.sampled_from([0, 1, 2, -1, 0.5, 1.0, 2.0, 1e3]),
)
def test_a_number_and_its_text_mean_the_same_or_nothing(labels: list[str], number: float) -> None:
    names = LabelNames(labels)
    assert names.code(number) == names.code(str(number))
    if str(number) in labels:
        assert names.code(number) == labels.index(str(number))


def test_decimals_of_32_bits() -> None:
    names = LabelNames(["0.1", "0.7"])
    assert [names.code(float(np.float32(value))) for value in (0.1, 0.7)] == [0, 1]


@pytest.mark.parametrize(
    "value", [None, float("nan"), 2, -1, "", "2", "1.5", 1.5, "01", [1], {}, 10**400]
)
def test_what_is_none_of_them(value: Any) -> None:
    names = LabelNames(["no", "yes", "None", "nan"][:2])
    assert names.code(value) is None
    assert names.refusal(value).endswith(" is not one of: 0, 1, no, yes.")
    assert len(names.refusal(value)) < 150
    assert LabelNames(["x", "None"]).code(None) is None


@pytest.mark.parametrize("value", ["Yes", " yes", "yes ", "YES\t"])
def test_case_and_blanks_count_and_are_pointed_at(value: str) -> None:
    assert LabelNames(["no", "yes"]).refusal(value) == (
        f"{value!r} is not one of: 0, 1, no, yes. Did you mean 'yes'? Case and blanks count."
    )


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv", ".tsv"])
def test_refusals_name_the_row(tmp_path: Path, suffix: str) -> None:
    found = read(tmp_path, suffix, ["no", "yes"], ["no", "Yes"])
    assert found == (
        f"task 'T': {tmp_path}/t/dev{suffix}, row 2: label 'Yes' is not one of: 0, 1, no, yes."
        " Did you mean 'yes'? Case and blanks count."
    )


CELLS = st.one_of(
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.0, 1.0, 0.5, float("nan"), "0", "1.0", "yes", "no", "TRUE", "", None]),
    st.just(["yes"]),
)


@given(
    values=st.lists(CELLS),
    names=st.sampled_from([["no", "yes"], ["false", "true"], ["1", "0"], ["0.5", "1"]]),
)
def test_a_column_has_the_codes_of_its_cells(values: list[Any], names: list[str]) -> None:
    known = LabelNames(names)
    assert known.codes(values) == [known.code(value) for value in values]
