"""Of a probed encoder one layer stands in tables: NSP's, else the masked tokens', else the top."""

from pathlib import Path

import pytest

from hmnet.comparison.compared_runs import read_compared
from relevance.report.tables import Row, table


def probed(folder: Path, levels: dict[int, str]) -> Path:
    """What `hmnet probe` wrote before it had names: layer n has an accuracy of n / 10."""
    rows: list[Row] = [
        {
            "encoder": "pre/lower/",
            "vector": "cls",
            "seed": 3,
            "task": task,
            "layer": layer,
            "level": levels.get(layer, ""),
            "accuracy": layer / 10,
            "majority": 0.25,
            "labels": 2,
            "train_rows": 8,
            "test_rows": 4,
        }
        for task in ("tense", "depth")
        for layer in range(5)
    ]
    (folder / "probing.csv").write_text(table(rows, "csv"))
    return folder


@pytest.mark.parametrize(
    ("levels", "layer", "told"),
    [
        ({4: "MLM", 2: "NSP"}, 2, "2 (NSP)"),
        ({3: "MLM+NSP"}, 3, "3 (MLM+NSP)"),
        ({3: "MLM", 1: "bigram"}, 3, "3 (MLM)"),
        ({}, 4, "4 (the top)"),
    ],
)
def test_the_layer_of_sentences(
    levels: dict[int, str], layer: int, told: str, tmp_path: Path
) -> None:
    (found,) = read_compared([probed(tmp_path, levels)])
    assert [(score.task, score.value) for score in found.scores] == [
        ("tense", layer / 10),
        ("depth", layer / 10),
    ]
    assert {(s.split, s.metric, s.seed, s.majority) for s in found.scores} == {
        ("test", "accuracy", 3, 0.25)
    }
    assert (found.facts["name"], found.facts["vector"]) == ("pre/lower", "cls")
    assert found.notes == (f"pre/lower ({tmp_path}) was probed at layer {told}, vector cls.",)
