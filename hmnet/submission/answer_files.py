"""The files that leaderboards ask for, with the names and label words of their own data."""

from collections.abc import Mapping
from typing import NamedTuple

IDS = ("idx", "index", "id")
"""What files call the number of a row, the likeliest first."""


class AnswerFile(NamedTuple):
    """One file of a zip.

    Attributes:
        name: Name of the file.
        tasks: Names of tasks that can answer it, the first that a run has does.
        labels: What the leaderboard calls the task's labels; None for values and for texts.
        rows: Number of rows of the benchmark's test set.
        splits: Names that the file of rows may have; the first that is there is read.
        folders: Names that its folder may have beside that of the task; of a diagnosis, which
            another task answers, they are all.
        ids: Columns that may hold the number of a row, the first that a file has does.
        scale: Lowest and highest value; None where answers are no values.
    """

    name: str
    tasks: tuple[str, ...]
    labels: Mapping[str, str | int] | None
    rows: int
    splits: tuple[str, ...] = ("test",)
    folders: tuple[str, ...] = ()
    ids: tuple[str, ...] = IDS
    scale: tuple[float, float] | None = None

    @property
    def is_diagnosis(self) -> bool:
        """Whether its rows are no task's own."""
        return self.name.startswith("AX")


def _words(*labels: str) -> dict[str, str | int]:
    return {label: label for label in labels}


def _codes(*labels: str) -> dict[str, str | int]:
    return {label: code for code, label in enumerate(labels)}


NLI = _words("entailment", "neutral", "contradiction")
TWO_WAY = _words("entailment", "not_entailment")
OF_RTE = ("RTE", "RTE@superglue")
BENCHMARKS: dict[str, tuple[AnswerFile, ...]] = {
    "glue": (
        AnswerFile("CoLA.tsv", ("CoLA",), _codes("unacceptable", "acceptable"), 1063),
        AnswerFile("SST-2.tsv", ("SST-2",), _codes("negative", "positive"), 1821),
        AnswerFile("MRPC.tsv", ("MRPC",), _codes("not_equivalent", "equivalent"), 1725),
        AnswerFile("STS-B.tsv", ("STS-B",), None, 1379, scale=(0, 5)),
        AnswerFile("QQP.tsv", ("QQP",), _codes("not_duplicate", "duplicate"), 390_965),
        AnswerFile("MNLI-m.tsv", ("MNLI",), NLI, 9796, ("test_matched", "test")),
        AnswerFile("MNLI-mm.tsv", ("MNLI",), NLI, 9847, ("test_mismatched",)),
        AnswerFile("QNLI.tsv", ("QNLI",), TWO_WAY, 5463),
        AnswerFile("RTE.tsv", OF_RTE, TWO_WAY, 3000, folders=("RTE",)),
        AnswerFile("WNLI.tsv", ("WNLI",), _codes("not_entailment", "entailment"), 146),
        AnswerFile(
            "AX.tsv", ("MNLI",), NLI, 1104, ("diagnostic", "test", "AX"), ("AX", "diagnostic")
        ),
    ),
    "superglue": (
        AnswerFile("BoolQ.jsonl", ("BoolQ",), _words("false", "true"), 3245),
        AnswerFile("CB.jsonl", ("CB",), NLI, 250),
        AnswerFile("COPA.jsonl", ("COPA",), {"0": 0, "1": 1}, 500),
        AnswerFile("MultiRC.jsonl", ("MultiRC",), _codes("false", "true"), 9693),
        AnswerFile("ReCoRD.jsonl", ("ReCoRD",), None, 10_000, ids=("idx_query", *IDS)),
        AnswerFile("RTE.jsonl", OF_RTE[::-1], TWO_WAY, 3000, folders=("RTE",)),
        AnswerFile("WiC.jsonl", ("WiC",), _words("false", "true"), 1400),
        AnswerFile("WSC.jsonl", ("WSC",), {"false": "False", "true": "True"}, 146),
        AnswerFile("AX-b.jsonl", OF_RTE[::-1], TWO_WAY, 1104, ("test", "AX-b"), ("AX-b",)),
        AnswerFile("AX-g.jsonl", OF_RTE[::-1], TWO_WAY, 356, ("test", "AX-g"), ("AX-g",)),
    ),
}
"""The files of each leaderboard; rows are counted as the hub's copies of the test sets have them.

A task that is added to the catalogue under one of these names is answered without a change here.
"""
