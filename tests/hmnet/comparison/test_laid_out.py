"""Tables of layouts: the paper's averages, pairs, facts that tell runs apart, what is missing."""

import csv
from pathlib import Path
from typing import Any

import pytest

from hmnet.comparison.compared_runs import FACTS, ComparedRun
from hmnet.comparison.laid_out import lay_out
from hmnet.comparison.layout import Layout, read_layout
from hmnet.runs.scores import Score
from relevance.errors import RelevanceError

SPAN = ("span_em", "span_f1")


def run(name: str, values: dict[str, Any], seed: int = 0, **facts: str) -> ComparedRun:
    """A run; keys of its scores are `task/split/metric` or beginnings of that."""
    scores = []
    for key, value in values.items():
        task, split, metric = (key.split("/") + ["dev", "accuracy"][key.count("/") :])[:3]
        scores.append(Score(name, "multi", task, split, metric, seed, value))
    known = dict.fromkeys(FACTS, "") | {"name": name, "seed": str(seed)} | facts
    return ComparedRun(Path(f"{name}-{seed}"), known, tuple(scores))


def squad(em: float, f1: float, task: str = "SQuAD") -> dict[str, float]:
    return {f"{task}/dev/span_f1": f1, f"{task}/dev/span_em": em}


def small(**more: Any) -> Layout:
    scores = [{"name": name, "task": name, "metric": "accuracy"} for name in ("RTE", "CB", "WNLI")]
    average = {"name": "average", "of": ["RTE", "CB"]}
    return Layout.model_validate({"runs": "rows", "score": scores, "average": [average]} | more)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_papers_cells_give_the_papers_averages(paper_dir: Path) -> None:
    with (paper_dir / "table1_results.csv").open() as file:
        table1 = list(csv.DictReader(file))
    methods = [name for name in table1[0] if name not in ("task", "family", "metric")]
    splits = {"MNLI-m": "MNLI/dev", "MNLI-mm": "MNLI/dev_mismatched_1k"}
    metrics = {"STS-B": "pearson", "MultiRC": "f1a"}
    runs = [
        run(
            method,
            {
                f"{splits.get(row['task'], row['task'] + '/dev')}"
                f"/{metrics.get(row['task'], 'accuracy')}": float(row[method]) / 100
                for row in reversed(table1)
            },
        )
        for method in methods
    ]

    laid_out = lay_out(runs, read_layout("table1"))

    rows = rows_of(laid_out.to_table("csv"))
    assert [(row["family"], row["task"]) for row in rows[:-1]] == [
        (row["family"], row["task"]) for row in table1
    ]
    for method in methods:
        assert [float(row[method]) for row in rows[:-1]] == [float(row[method]) for row in table1]
    averages = [round(float(rows[-1][method]), 2) for method in methods]
    assert averages == [80.37, 82.76, 83.47, 83.51, 83.64, 83.85]
    last = laid_out.to_table("markdown").splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[2:-1]] == [
        "average", "primary", "80.4", "82.8", "83.5", "83.5", "83.6", "**83.9**",
    ]  # fmt: skip
    assert not laid_out.remarks


def test_pairs_stand_in_one_cell_by_the_corpus_of_the_backbone() -> None:
    wiki, contexts = "wikitext2/train.parquet@heading", "SQuAD:context"
    runs = [
        run("lower", squad(0.5, 0.6) | squad(0.3, 0.4, "SQuAD2"), corpus=wiki),
        run("lower", squad(0.6, 0.7), seed=0, corpus=contexts),
        run("bert", squad(0.4, 0.8), corpus=wiki),
        run("minilm", squad(0.1, 0.2)),
    ]

    laid_out = lay_out(runs, read_layout("aksoy-squad"))

    head, _, *rows = laid_out.to_table("markdown").splitlines()[:5]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        "model",
        "SQuAD 1.1: SQuAD (EM / F1)",
        "SQuAD 1.1: WikiText-2 (EM / F1)",
        "SQuAD 2.0: SQuAD (EM / F1)",
        "SQuAD 2.0: WikiText-2 (EM / F1)",
    ]
    dash = "\N{EN DASH}"
    assert [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows] == [
        ["lower", "**60.0 / 70.0**", "50.0 / 60.0", dash, "30.0 / 40.0"],
        # the best EM and the best F1 are of two runs, so neither cell is in bold
        ["bert", dash, "40.0 / 80.0", dash, dash],
        ["minilm", "10.0 / 20.0", "10.0 / 20.0", dash, dash],
    ]
    assert laid_out.remarks[1:] == (
        "No run has a score of SQuAD 2.0: SQuAD.",
        "bert has no score of SQuAD 1.1: SQuAD, SQuAD 2.0: WikiText-2.",
        "minilm has no score of SQuAD 2.0: WikiText-2.",
    )
    (first, *_) = rows_of(laid_out.to_table("csv"))
    assert first["SQuAD 1.1: SQuAD EM"] == "60.0"
    assert first["SQuAD 1.1: SQuAD F1"] == "70.0"
    assert first["SQuAD 2.0: SQuAD F1"] == ""
    latex = laid_out.to_table("latex")
    assert (
        r"\multicolumn{1}{c}{} & \multicolumn{2}{c}{SQuAD 1.1} & \multicolumn{2}{c}{SQuAD 2.0} \\"
        "\n"
        r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}"
        "\n"
        r"model & SQuAD (EM / F1) & WikiText-2 (EM / F1) & SQuAD (EM / F1) & WikiText-2 (EM / F1)"
    ) in latex
    assert '<th colspan="2">SQuAD 2.0</th>' in laid_out.to_table("html")


def test_twelve_pairs_are_told_apart_by_what_was_joined() -> None:
    pairs = [(name, before, after) for name in ("lower", "freeze", "bert", "bigram")
             for before, after in (("none", "none"), ("cls", "cls"), ("nsp", "none"))]  # fmt: skip
    runs = [
        run(name, squad(number / 20, number / 15), pretrained_concat=before, concat=after)
        for number, (name, before, after) in enumerate(pairs)
    ]
    rows = rows_of(lay_out(runs, read_layout("aksoy-concat")).to_table("csv"))
    found = [(row["model"], row["pre-training"], row["fine-tuning"]) for row in rows]
    assert found == pairs
    assert [float(row["SQuAD 1.1: SQuAD EM"]) for row in rows] == [5.0 * n for n in range(12)]


def test_only_what_is_counted_enters_the_average_and_all_of_it_must_be_there() -> None:
    runs = [
        run("a", {"RTE": 0.5, "CB": 0.7, "WNLI": 0.1, "BoolQ": 0.9}),
        run("a", {"RTE": 0.7, "CB": 0.7, "WNLI": 0.1}, seed=1),
        run("b", {"RTE": 0.9, "WNLI": 0.9}),
    ]
    laid_out = lay_out(runs, small())
    first, second = rows_of(laid_out.to_table("csv"))
    assert list(first)[-2:] == ["average", "average deviation"]
    assert float(first["average"]) == pytest.approx(65.0)
    assert float(first["RTE deviation"]) == pytest.approx(14.142, abs=1e-3)
    assert second["average"] == second["CB"] == ""
    assert "b has no score of CB." in laid_out.remarks
    assert "60.0 ± 14.1" in laid_out.to_table("markdown")


def test_an_average_over_other_rows_of_data_is_empty() -> None:
    runs = [run("a", {"RTE": 0.5, "CB": 0.7}), run("b", {"RTE": 0.9, "CB": 0.9})]
    for each, rows in zip(runs, ("some", "others"), strict=True):
        scores = [Score(**(vars(score) | {"rows": rows})) for score in each.scores]
        object.__setattr__(each, "scores", tuple(scores))
    laid_out = lay_out(runs, small())
    assert all(row["average"] == "" for row in rows_of(laid_out.to_table("csv")))
    assert "RTE †" in laid_out.to_table("markdown")
    allowed = rows_of(lay_out(runs, small(), allow_different=True).to_table("csv"))
    assert [row["average"] for row in allowed] == ["60.0", "90.0"]


def test_runs_that_a_layout_names_stand_first_and_are_named_where_they_are_missing() -> None:
    named = [{"by": "b", "label": "B, the second"}, {"by": "c", "label": "C"}]
    runs = [run("a", {"RTE": 0.5}), run("b", {"RTE": 0.9})]
    laid_out = lay_out(runs, small(run=named), baseline="B, the second")
    rows = rows_of(laid_out.to_table("csv"))
    assert [(row["name"], row["RTE"]) for row in rows] == [
        ("B, the second", "90.0"), ("C", ""), ("a", "50.0"),
    ]  # fmt: skip
    assert "No run is C." in laid_out.remarks


def test_the_majority_class_stands_above_the_runs() -> None:
    runs = [run("a", {"RTE": 0.5, "CB": 0.9})]
    scores = tuple(Score(**(vars(score) | {"majority": 0.6})) for score in runs[0].scores)
    object.__setattr__(runs[0], "scores", scores)
    rows = rows_of(lay_out(runs, small()).to_table("csv"))
    assert [(row["name"], row["RTE"], row["average"]) for row in rows] == [
        ("majority class", "60.0", "60.0"), ("a", "50.0", "70.0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([run("a", {"RTE": 0.5}), run("a", {"RTE": 0.6})], "a-0 and a-0 both have seed 0"),
        ([run("a", {"BoolQ": 0.5})], "None of these runs has a score of RTE, CB, WNLI."),
    ],
)
def test_runs_that_have_no_one_place(runs: list[ComparedRun], message: str) -> None:
    with pytest.raises(RelevanceError, match=message):
        lay_out(runs, small())


def test_a_run_of_two_corpora_is_no_run_of_either() -> None:
    both = run("a", squad(0.5, 0.6), corpus="SQuAD:context, wiki.txt@heading")
    with pytest.raises(
        RelevanceError, match=r"which fits 'SQuAD 1\.1: SQuAD' and 'SQuAD 1\.1: Wiki"
    ):
        lay_out([both], read_layout("aksoy-squad"))


def test_a_run_that_fits_nowhere_is_named() -> None:
    runs = [run("a", squad(0.5, 0.6)), run("b", squad(0.5, 0.6), corpus="imdb.txt")]
    laid_out = lay_out(runs, read_layout("aksoy-squad"), baseline="a")
    remarks = laid_out.remarks
    assert not any(remark.startswith(("No run is b", "b against a")) for remark in remarks)
    assert "b-0 has no score that the layout shows." in remarks
