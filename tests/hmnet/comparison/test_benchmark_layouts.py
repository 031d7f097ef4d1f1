"""Layouts of benchmarks: the rows below have the averages that were printed with them.

Cells of GLUE and SuperGLUE are those of the README of github.com/alexa/bort, which prints the rows
of both leaderboards; BERT's row of GLUE stands in Table 2 of Liu et al. (2019), "Multi-Task Deep
Neural Networks", too. Table 4 of Pilault et al. (2021), of which Table 3.4 of the thesis is the
same, was not to be had: its averages by family and of all are from memory, a summary of the paper
confirms two of them (86.6 and 89.4), and its 24 cells are unknown, so that only the formula is
shown. The scores of Li's CS224N report (2024) could not be found; its formula is that of the
course's leaderboard.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hmnet.comparison.compared_runs import FACTS, ComparedRun
from hmnet.comparison.laid_out import lay_out
from hmnet.comparison.laid_out_table import LaidOut
from hmnet.comparison.layout import Layout, read_layout
from hmnet.runs.scores import Score

GLUE_BERT = {
    "CoLA": (60.5,), "SST-2": (94.9,), "MRPC": (89.3, 85.4), "STS-B": (87.6, 86.5),
    "QQP": (72.1, 89.3), "MNLI-m": (86.7,), "MNLI-mm": (85.9,), "QNLI": (92.7,), "RTE": (70.1,),
    "WNLI": (65.1,),
}  # fmt: skip
"""BERT-large on GLUE's leaderboard; F1 and Pearson first."""
GLUE_BORT = {
    "CoLA": (63.9,), "SST-2": (96.2,), "MRPC": (94.1, 92.3), "STS-B": (89.2, 88.3),
    "QQP": (66.0, 85.9), "MNLI-m": (88.1,), "MNLI-mm": (87.8,), "QNLI": (92.3,), "RTE": (82.7,),
    "WNLI": (71.2,),
}  # fmt: skip
SUPERGLUE = {
    "BERT-large": (69.0, (77.4, 75.7, 83.6, 70.6, 70.0, 24.1, 72.0, 71.3, 71.7, 69.6, 64.4)),
    "Bort": (74.1, (83.7, 81.9, 86.5, 89.6, 83.7, 54.1, 49.8, 49.0, 81.2, 70.1, 65.8)),
}
"""SuperGLUE's leaderboard: average, then BoolQ, CB, COPA, and so on."""
SUPERGLUE_CELLS = (
    "BoolQ", "CB/dev/macro_f1", "CB", "COPA", "MultiRC/dev/f1a", "MultiRC/dev/question_em",
    "ReCoRD/dev/span_f1", "ReCoRD/dev/span_em", "RTE", "WiC", "WSC",
)  # fmt: skip
CAMTL = {
    "BERT-large ST": (84.5, 68.9, 79.7, 54.1, 76.8),
    "BERT-large MTL": (83.2, 72.1, 77.8, 42.2, 76.4),
    "BERT-large CA-MTL": (86.6, 74.1, 79.5, 49.0, 79.1),
    "RoBERTa-large ST": (88.2, 76.5, 83.6, 57.8, 81.9),
    "RoBERTa-large CA-MTL": (89.4, 80.0, 82.4, 55.2, 83.1),
}
"""GLUE, SuperGLUE, MRQA, NER, and the average of the 24 scores."""


def run(name: str, values: dict[str, float], seed: int = 0) -> ComparedRun:
    """A run; keys of scores are `task/split/metric`, or a task: its accuracy on dev."""
    scores = []
    for key, value in values.items():
        task, split, metric = key.split("/") if "/" in key else (key, "dev", "accuracy")
        scores.append(Score(name, "multi", task, split, metric, seed, value))
    facts = dict.fromkeys(FACTS, "") | {"name": name, "seed": str(seed)}
    return ComparedRun(Path(f"{name}-{seed}"), facts, tuple(scores))


def column(laid_out: LaidOut, name: str) -> dict[str, float]:
    """Rows of a run by task, in percent."""
    rows = csv.DictReader(laid_out.to_table("csv").splitlines())
    return {row["task"]: float(row[name]) for row in rows if row[name]}


def cells(layout: Layout, values: dict[str, tuple[float, ...]]) -> dict[str, float]:
    """Scores of a run as fractions, by where they come from."""
    return {
        f"{each.task[0]}/{each.split}/{metric}": value / 100
        for each in layout.score
        for metric, value in zip(each.metric, values[each.name], strict=True)
    }


def test_the_score_of_glue_counts_mnli_once_and_pairs_by_their_mean() -> None:
    layout = read_layout("glue")
    rows = {"bert": GLUE_BERT, "bort": GLUE_BORT}
    laid_out = lay_out([run(name, cells(layout, row)) for name, row in rows.items()], layout)
    assert round(column(laid_out, "bort")["GLUE score"], 1) == 83.6
    found = column(laid_out, "bert")
    assert round(found["GLUE score"], 1) == 80.5
    assert found["without WNLI"] == pytest.approx(659.6 / 8)
    assert found["Similarity and paraphrase"] == pytest.approx((87.35 + 87.05 + 80.7) / 3)
    assert found["Inference"] == pytest.approx((86.3 + 92.7 + 70.1 + 65.1) / 4)
    assert "89.3 / 85.4" in laid_out.to_table("markdown")


@pytest.mark.parametrize("name", SUPERGLUE)
def test_the_score_of_superglue_is_the_published_one(name: str) -> None:
    printed, numbers = SUPERGLUE[name]
    values = {key: number / 100 for key, number in zip(SUPERGLUE_CELLS, numbers, strict=True)}
    found = column(lay_out([run("it", values)], read_layout("superglue")), "it")
    assert round(found["SuperGLUE score"], 1) == printed


@pytest.mark.parametrize("name", CAMTL)
def test_the_average_of_24_scores_is_the_published_one(name: str) -> None:
    *parts, average = CAMTL[name]
    layout = read_layout("camtl")
    by_family = dict(zip(("GLUE", "SuperGLUE", "MRQA", "NER"), parts, strict=True))
    scores = {
        f"{each.task[0]}/{each.split}/{metric}": by_family[each.family or ""] / 100
        for each in layout.score
        for metric in each.metric
    }
    # WNLI is no part of the 24
    found = column(lay_out([run("it", scores | {"WNLI": 0.0})], layout), "it")
    assert round(found["average"], 1) == average
    assert {name: round(found[name], 1) for name in by_family} == by_family


def test_the_final_score_takes_a_correlation_into_the_unit_interval() -> None:
    values = {"SST-5": 0.5, "QQP": 0.8, "STS-B/dev/pearson": 0.6}
    layout = read_layout("cs224n")
    found = column(lay_out([run("it", values)], layout), "it")
    assert found["STS"] == 60.0
    assert found["final score"] == pytest.approx((50 + 80 + 80) / 3)
    opposite = {**values, "STS-B/dev/pearson": -1.0}
    found = column(lay_out([run("it", opposite)], layout), "it")
    assert found["final score"] == pytest.approx(130 / 3)


def test_a_term_is_averaged_within_each_seed_and_tested_as_one_row() -> None:
    scores = [{"name": name, "task": name, "metric": "accuracy"} for name in ("RTE", "CB", "WNLI")]
    average = {"name": "average", "of": [["RTE", "CB"], "WNLI"]}
    content: dict[str, Any] = {"runs": "columns", "score": scores, "average": [average]}
    layout = Layout.model_validate(content)
    runs = [
        run("a", {"RTE": 0.2, "CB": 0.4, "WNLI": 0.7}),
        run("a", {"RTE": 0.4, "CB": 0.6, "WNLI": 0.7}, seed=1),
        run("b", {"RTE": 0.5, "CB": 0.7, "WNLI": 0.9}),
        run("c", {"RTE": 0.5, "WNLI": 0.9}),
    ]
    laid_out = lay_out(runs, layout, baseline="a")
    average_row = list(csv.DictReader(laid_out.to_table("csv").splitlines()))[-1]
    assert float(average_row["a"]) == pytest.approx(55.0)  # (40 + 70) / 2
    assert float(average_row["a deviation"]) == pytest.approx(7.071, abs=1e-3)  # of 50 and 60
    assert float(average_row["b"]) == pytest.approx(75.0)
    assert average_row["c"] == ""
    assert any("better on 2 of 2 rows" in remark for remark in laid_out.remarks)


def test_averages_of_the_majority_class_take_the_mean_of_its_values_as_its_rows_do() -> None:
    metrics = {"f1": ((0.2, 0.6), 0.4), "accuracy": ((0.8, 0.9), 0.85)}
    runs = [run("a", {"MRPC/dev/f1": 0.5, "MRPC/dev/accuracy": 0.7})]
    runs.append(run("b", {"MRPC/dev/f1": 0.6, "MRPC/dev/accuracy": 0.8}))
    for number, each in enumerate(runs):
        scores = tuple(
            replace(score, majority=metrics[score.metric][0][number]) for score in each.scores
        )
        runs[number] = replace(each, scores=scores)
    score = {"name": "MRPC", "task": "MRPC", "metric": ["f1", "accuracy"]}
    average = {"name": "average", "cells": "mean"}
    content: dict[str, Any] = {"runs": "columns", "score": [score], "average": [average]}
    laid_out = lay_out(runs, Layout.model_validate(content), allow_different=True)
    *rows, last = csv.DictReader(laid_out.to_table("csv").splitlines())
    own = [float(row["majority class"]) for row in rows]
    assert own == pytest.approx([100 * mean for _, mean in metrics.values()])
    assert float(last["majority class"]) == pytest.approx(sum(own) / 2)
