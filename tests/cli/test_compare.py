"""`relevance compare --reference` and `relevance estimate token-embedding`, as a user asks."""

import csv
import io
import json
from itertools import permutations
from pathlib import Path

import pytest

from commands import done, refused
from relevance.matrices.matrix import load_matrix


def test_measures_beside_the_papers_gains(tmp_path: Path) -> None:
    figure = tmp_path / "scatter.svg"
    outcome = done(
        "relevance",
        *("compare", "paper:table2", "--reference", "paper:table3"),
        *("--k", 3, "--figure", figure),
    )
    assert "| vocabulary |" in outcome.out
    assert "- 73 of the reference's 156 pairs are negative" in outcome.out
    assert outcome.err == f"wrote {figure}\n"
    assert "vocabulary" in figure.read_text()


def test_csv_is_a_table_alone_and_the_rest_is_told_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "table.csv"
    options = ["compare", "paper:table2", "paper:table3", "--reference", "paper:table3"]
    outcome = done("relevance", *options, "--format", "csv", "--out", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["measure"] for row in rows] == ["vocabulary", "joint-training"]
    assert [float(row["precision"]) for row in rows] == [pytest.approx(37 / 73), 1]
    first, *rest = outcome.err.splitlines()
    assert first == f"wrote {out}"
    assert rest[0] == "relevance: note: 13 tasks that all matrices share."
    assert all(line.startswith("relevance: note: ") for line in rest)


def test_one_measure_twice_is_called_after_its_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    for path in (one, other):
        load_matrix("paper:table2").save(path)
    options = ["compare", one, other, "--reference", "paper:table3", "--format", "csv"]
    rows = list(csv.DictReader(io.StringIO(done("relevance", *options).out)))
    assert [row["measure"] for row in rows] == [str(one), str(other)]


def test_a_study_of_two_seeds_sets_a_ceiling(tmp_path: Path) -> None:
    gains = load_matrix("paper:table3").select(["RTE", "CB", "BoolQ", "MRPC"])
    content = json.loads(gains.to_json())
    joint = (1 + gains.values).tolist()
    content |= {
        "seeds": [0, 1],
        "single": {"gain": [[1.0] * 4] * 2},
        "joint": {"gain": [joint, joint]},
        "cost": {"seconds": 100.0},
        "provenance": {"metric": "gain", "normalise": "absolute"},
    }
    path = tmp_path / "gains.json"
    path.write_text(json.dumps(content))
    text = done("relevance", "compare", "paper:table2", "--reference", path).out
    assert "- Ceiling: over 2 seeds the reference's reliability within targets is 1.00" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["paper:table2", "paper:table3", "--figure", "f.pdf"],
            "--figure draws matrices against a reference. Name it: --reference.",
        ),
        (
            ["paper:table2", "--reference", "paper:table3", "--figure", "f.txt"],
            "f.txt: a figure's name must end in one of .pdf, .svg, .png.",
        ),
        (
            ["paper:table2", "paper:table2", "--reference", "paper:table3"],
            "Matrices to compare need different names, got paper:table2, paper:table2.",
        ),
        (
            ["paper:table2", "--reference", "FAMILIES", "--k", "3"],
            (
                "The groups of the taxonomy matrix are its families, so --k has nothing to choose."
                " Leave it out."
            ),
        ),
        (["paper:table2", "--reference", "none.json"], "none.json: no such file."),
        (
            ["paper:table2", "--reference", "paper:table3", "--k", "0"],
            "k must be between 1 and 13, the number of tasks, got 0.",
        ),
    ],
)
def test_what_cannot_be_compared(options: list[str], message: str, tmp_path: Path) -> None:
    families = tmp_path / "taxonomy.json"
    done("relevance", "taxonomy", "--tasks", "RTE,CB,SST-2", "--out", families)
    given = [families if option == "FAMILIES" else option for option in options]
    assert refused("relevance", "compare", *given) == message


def test_token_embeddings_of_a_backbone(tasks: Path, tiny_bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.json"
    done(
        *("relevance", "estimate", "token-embedding", "--tasks", tasks),
        *("--backbone", tiny_bert, "--out", out),
    )
    matrix = load_matrix(out)
    assert matrix.measure == "token-embedding"
    assert matrix.provenance["vectors"]["name"] == str(tiny_bert)
    assert (matrix.values == matrix.values.T).all()
    assert (matrix.values.diagonal() == 1).all()


def test_runs_made_elsewhere_become_a_reference(tmp_path: Path) -> None:
    rows = [
        f"{source},{target},{seed},{0.5 + 0.1 * (source < target) + 0.01 * seed * place}"
        for place, (source, target) in enumerate(permutations("ABCD", 2))
        for seed in (0, 1)
    ]
    runs, out = tmp_path / "mine.csv", tmp_path / "m.json"
    runs.write_text("\n".join(["from,target,seed,score", *rows]) + "\n")
    told = done("relevance", "import", runs, "--source", "from", "--out", out).err.splitlines()
    assert told[0] == f"wrote {out}"
    assert told[-1].startswith("2 seeds; two of them correlate within targets at 0.")
    table = done("relevance", "compare", out, "--reference", out).out
    assert "| mine    |     1.00 |" in table
    assert "Ceiling: over 2 seeds" in table
    assert refused("relevance", "import", runs).startswith("column 'source' is not in")
