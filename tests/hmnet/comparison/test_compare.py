"""Runs side by side: the paper's own averages, seeds, gaps, and what is set in bold."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmnet.comparison.compare import compare
from hmnet.runs.costs import Cost
from hmnet.runs.scores import Score
from relevance.errors import RelevanceError


def run(name: str, values: dict[str, float], seed: int = 0, method: str = "hmnet") -> list[Score]:
    """Scores of a run; keys are `task`, `task/split` or `task/split/metric`."""
    scores = []
    for key, value in values.items():
        task, split, metric = (key.split("/") + ["dev", "accuracy"][key.count("/") :])[:3]
        scores.append(Score(name, method, task, split, metric, seed, value))
    return scores


def majority(values: dict[str, float], seed: int = 0) -> list[Score]:
    return run("majority", values, seed, method="majority")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_papers_columns_average_to_what_they_do(paper_dir: Path) -> None:
    with (paper_dir / "table1_results.csv").open() as file:
        table1 = list(csv.DictReader(file))
    methods = ["single_task", "multi_task", "skillnet", "hmnet_d", "hmnet_md", "hmnet_m"]
    splits = {"MNLI-m": "MNLI/dev", "MNLI-mm": "MNLI/dev_mismatched_1k"}
    scores = [
        score
        for method in methods
        for score in run(
            method,
            {splits.get(row["task"], row["task"]): float(row[method]) / 100 for row in table1},
        )
    ]

    compared = compare(scores)

    assert compared.columns == tuple(methods)
    assert [line.task for line in compared.lines] == [row["task"] for row in table1] + ["average"]
    averages = [round(100 * entry.mean, 2) for entry in compared.lines[-1].entries if entry]
    assert averages == [80.37, 82.76, 83.47, 83.51, 83.64, 83.85]
    last = compared.to_table("markdown").splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[3:-1]] == [
        "80.4", "82.8", "83.5", "83.5", "83.6", "**83.9**",
    ]  # fmt: skip


def test_diagnostic_sets_have_rows_and_no_part_in_the_average() -> None:
    compared = compare(run("a", {"RTE": 0.5, "CB": 0.7, "AX-b/test/matthews": 0.1}))
    assert [line.task for line in compared.lines] == ["RTE", "CB", "AX-b (test)", "average"]
    assert compared.lines[-1].entries[0] is not None
    assert compared.lines[-1].entries[0].mean == pytest.approx(0.6)


def test_seeds_of_one_name_are_one_column() -> None:
    scores = [
        *run("a", {"RTE": 0.5, "CB": 0.9}, seed=0),
        *run("a", {"RTE": 0.7, "CB": 0.8}, seed=1),
        *run("b", {"RTE": 0.65, "CB": 0.85}),
    ]

    compared = compare(scores)

    rte, _, average = compared.lines
    assert rte.entries[0] == pytest.approx((0.6, 0.2 / 2**0.5, None))
    assert average.entries[0] == pytest.approx((0.725, 0.05 / 2**0.5, None))
    assert rte.entries[1] == (0.65, None, None)
    assert compared.to_table("markdown").splitlines() == [
        "| task    | metric   | a           |        b |",
        "| :------ | :------- | :---------- | -------: |",
        "| RTE     | accuracy | 60.0 ± 14.1 | **65.0** |",
        "| CB      | accuracy | 85.0 ± 7.1  |     85.0 |",
        "| average | primary  | 72.5 ± 3.5  | **75.0** |",
    ]


def test_csv_has_numbers_and_deviations_apart() -> None:
    scores = [*run("a", {"RTE": 0.5}), *run("a", {"RTE": 0.7}, seed=1), *run("b", {"RTE": 0.65})]

    (row,) = rows_of(compare(scores).to_table("csv"))

    assert list(row) == ["task", "metric", "a", "b", "a deviation"]
    assert float(row["a"]) == 60.0
    assert float(row["a deviation"]) == pytest.approx(14.1421356237)
    assert float(row["b"]) == 65.0


def test_latex() -> None:
    scores = [*run("a_1", {"RTE": 0.5, "CB": 0.25}), *run("b", {"RTE": 0.4, "CB": 0.5})]

    text = compare(scores).to_table("latex")

    assert r"task & metric & a\_1 & b \\" in text
    assert r"RTE & accuracy & \textbf{50.0} & 40.0 \\" in text
    assert r"average & primary & 37.5 & \textbf{45.0} \\" in text


def test_the_majority_class_stands_beside_and_what_is_not_above_it_is_not_the_best() -> None:
    values = {"RTE": 0.9, "CB": 0.5, "BoolQ": 0.6}
    scores = [
        *run("a", {"RTE": 0.6, "CB": 0.7, "BoolQ": 0.7}),
        *majority(values),
        *run("b", {"RTE": 0.5, "CB": 0.7, "BoolQ": 0.6}),
        *majority(values),
        *majority(values, seed=1),
    ]

    compared = compare(scores)

    assert compared.columns == ("majority class", "a", "b")
    assert [round(line.entries[0].mean, 4) for line in compared.lines if line.entries[0]] == [
        0.9, 0.5, 0.6, 0.6667,
    ]  # fmt: skip
    rows = [line.split("|")[3:-1] for line in compared.to_table("markdown").splitlines()[2:]]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["90.0", "60.0", "50.0"],
        ["50.0", "70.0", "70.0"],
        ["60.0", "**70.0**", "60.0"],
        ["66.7", "66.7", "60.0"],
    ]


def test_the_majority_class_may_stand_beside_each_score() -> None:
    beside = [replace(score, majority=0.5) for score in run("a", {"RTE": 0.6})]
    assert compare(beside) == compare([*run("a", {"RTE": 0.6}), *majority({"RTE": 0.5})])


def test_a_majority_class_that_differs_is_no_common_one() -> None:
    scores = [*run("a", {"RTE": 0.6}), *majority({"RTE": 0.5}), *majority({"RTE": 0.54}, seed=1)]

    assert compare(scores).lines[0].entries[0] is None
    assert "52.0 ± 2.8" in compare(scores, allow_different=True).to_table("markdown")


def test_one_run_alone_has_nothing_in_bold() -> None:
    assert "**" not in compare(run("a", {"RTE": 0.6})).to_table("markdown")


def test_the_average_is_over_what_all_runs_have() -> None:
    scores = [*run("a", {"RTE": 0.6, "CB": 0.8}), *run("b", {"SNLI": 0.1, "RTE": 0.5, "CB": 0.5})]

    compared = compare(scores)

    assert [line.task for line in compared.lines] == [
        "RTE",
        "CB",
        "SNLI",
        "average of 2 common rows",
    ]
    assert compared.lines[2].entries[0] is None
    assert [entry and entry.mean for entry in compared.lines[-1].entries] == [0.7, 0.5]
    assert "\N{EN DASH}" in compared.to_table("markdown")
    assert rows_of(compared.to_table("csv"))[2]["a"] == ""


def test_every_metric_and_the_average_of_the_primary_ones() -> None:
    values = {"MRPC/dev": 0.8, "MRPC/dev/f1": 0.9, "STS-B/dev/pearson": 0.6}

    primary = compare(run("a", values))
    everything = compare(run("a", values), every_metric=True)

    assert [line.metric for line in primary.lines] == ["accuracy", "pearson", "primary"]
    assert [line.metric for line in everything.lines] == ["accuracy", "f1", "pearson", "primary"]
    assert primary.lines[-1] == everything.lines[-1]
    assert primary.lines[-1].entries[0] == pytest.approx((0.7, None, None))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (
            [*run("a", {"RTE": 0.5}), *run("a", {"RTE": 0.6})],
            (
                "Two runs are named 'a' and have seed 0. Name each run once,"
                " and give runs that differ another `name`."
            ),
        ),
        ([], "There are no scores to compare. Score a run with `hmnet evaluate`."),
        (
            run("metric", {"RTE": 0.5}),
            "A run cannot be named 'metric', which is another column. Choose another `name`.",
        ),
    ],
)
def test_what_cannot_be_compared(scores: Sequence[Score], message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        compare(scores)

    assert str(error.value) == message


def test_a_named_baseline_is_paired_by_seed_and_by_row() -> None:
    tasks = [f"T{number}" for number in range(6)]
    scores = []
    for seed in range(3):
        base = dict.fromkeys(tasks, 0.5 + 0.01 * seed)
        better = {
            task: value + 0.05 + 0.002 * number + 0.001 * seed
            for number, (task, value) in enumerate(base.items())
        }
        scores += [*run("single", base, seed), *run("hmnet", better, seed)]
        scores += majority(dict.fromkeys(tasks, 0.5), seed)
    scores += run("once", dict.fromkeys(tasks, 0.4))

    compared = compare(scores, baseline="single")

    assert compared.columns == ("majority class", "single", "hmnet", "once")
    first, average = compared.lines[0], compared.lines[-1]
    assert [entry and entry.paired and entry.paired.test for entry in first.entries] == [
        None, None, "t", None,
    ]  # fmt: skip
    paired = first.entries[2].paired if first.entries[2] else None
    assert paired is not None
    # Differences 0.050, 0.051, 0.052: mean 0.051, deviation 0.001, so t = 0.051 / (0.001 / √3).
    assert paired.p == pytest.approx(1.2812e-4, rel=1e-3)
    assert [entry and entry.paired and entry.paired.p for entry in average.entries] == [
        None, None, 2**-5, 2**-5,
    ]  # fmt: skip
    text = compared.to_table("markdown")
    assert r"**56.1 ± 1.1\***" in text
    assert text.splitlines()[-3:] == [
        (
            r"- \*: differs from single at p < 0.05, two-sided and not corrected for the number of"
            " tests. Rows of tasks: paired t-test over seeds; the average: Wilcoxon's signed-rank"
            " test over its rows."
        ),
        (
            "- hmnet against single: +5.6 points on the average; better on 6 of 6 rows, worse on 0;"
            " over rows p = 0.031; over 3 seeds p < 0.001."
        ),
        (
            "- once against single: -11.0 points on the average; better on 0 of 6 rows, worse on 6;"
            " over rows p = 0.031; fewer than two seeds in common, so nothing is tested over seeds."
        ),
    ]
    assert compared.to_table("latex").startswith("% *: differs from single at p < 0.05,")
    row = rows_of(compared.to_table("csv"))[0]
    assert float(row["hmnet difference"]) == pytest.approx(5.1)
    assert float(row["hmnet p"]) == paired.p
    assert row["once p"] == ""
    assert "single p" not in row


def test_seeds_are_paired_by_their_number() -> None:
    """Seed 2 of one run meets seed 2 of the other, whatever the order; others are left out."""
    scores = [
        *run("a", {"T": 0.9}, seed=3),
        *run("a", {"T": 0.5}, seed=2),
        *run("a", {"T": 0.6}, seed=1),
        *run("b", {"T": 0.7}, seed=1),
        *run("b", {"T": 0.8}, seed=2),
    ]

    compared = compare(scores, baseline="a")

    entry = compared.lines[0].entries[1]
    assert entry is not None
    assert entry.paired is not None
    assert (entry.paired.pairs, round(entry.paired.difference, 9)) == (2, 0.2)
    assert compared.remarks[-1] == (
        "b against a: no average, as they have fewer than two rows in common."
    )


def test_costs_are_the_last_rows_and_never_bold() -> None:
    scores = [*run("a", {"RTE": 0.5}), *run("a", {"RTE": 0.7}, seed=1), *run("b", {"RTE": 0.65})]
    costs = {
        "a": [
            Cost(1.25e6, 4_000_000, 5_000_000, 60.0, 40.0),
            Cost(1.25e6, 4_000_000, 5_000_000, 64.0, 38.0),
        ],
        "b": [Cost(1e6, 1_000_000, 1_000_000)],
    }

    text = compare([*scores, *majority({"RTE": 0.5})], costs=costs).to_table("markdown")

    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[3:]]
    assert rows == [
        ["parameters activated", "millions", "\N{EN DASH}", "1.2", "1.0"],
        ["parameters trained", "millions", "\N{EN DASH}", "4.0", "1.0"],
        ["parameters overall", "millions", "\N{EN DASH}", "5.0", "1.0"],
        ["training", "seconds", "\N{EN DASH}", "62.0 ± 2.8", "\N{EN DASH}"],
        ["training", "examples per second", "\N{EN DASH}", "39.0 ± 1.4", "\N{EN DASH}"],
    ]


@pytest.mark.parametrize("baseline", ["hmnnet", "majority class"])
def test_the_baseline_is_one_of_the_runs(baseline: str) -> None:
    scores = [*run("hmnet", {"RTE": 0.5}), *run("b", {"RTE": 0.5}), *majority({"RTE": 0.5})]
    with pytest.raises(RelevanceError, match=f"^Unknown baseline '{baseline}'.*Known: b, hmnet.$"):
        compare(scores, baseline=baseline)


def test_spread_over_all_metrics_and_rows_at_or_above_the_baseline() -> None:
    base = {"MRPC/dev": 0.8, "MRPC/dev/f1": 0.9, "RTE": 0.6, "CB": 0.5}
    better = {"MRPC/dev": 0.8, "MRPC/dev/f1": 0.1, "RTE": 0.7, "CB": 0.4}
    extra = {"WNLI": 0.1}
    scores = [
        *run("single", base),
        *run("multi", better | extra),
        *run("multi", {name: value + 0.1 for name, value in (better | extra).items()}, seed=1),
        *majority(base),
    ]

    lines = compare(scores, baseline="single", spread=True).lines

    assert [line.task for line in lines[4:]] == [
        "average of 3 common rows",
        "standard deviation",
        "at or above baseline",
    ]
    spread, above = lines[5:]
    # Without WNLI, which one run lacks, and with F1, which the average leaves out.
    assert spread.entries[1] == pytest.approx((np.std([0.8, 0.9, 0.6, 0.5], ddof=1), None, None))
    assert spread.entries[2] == pytest.approx((np.std([0.8, 0.1, 0.7, 0.4], ddof=1), 0, None))
    # Means over seeds: MRPC .85 over .8, RTE .75 over .6, CB .45 below .5.
    assert above.entries == (None, None, (2, None, None))
    text = compare(scores, baseline="single", spread=True).to_table("markdown")
    row = next(line for line in text.splitlines() if "at or above" in line)
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "at or above baseline", "of 3 rows", "\N{EN DASH}", "\N{EN DASH}", "2",
    ]  # fmt: skip


def test_an_equal_score_is_at_the_baseline() -> None:
    scores = [*run("a", {"RTE": 0.5, "CB": 0.3}), *run("b", {"RTE": 0.5, "CB": 0.3})]
    (*_, above) = compare(scores, baseline="a", spread=True).lines
    assert above.entries[1] == (2, None, None)


def test_without_a_baseline_nothing_is_counted() -> None:
    scores = [*run("a", {"RTE": 0.5, "CB": 0.3}), *run("b", {"RTE": 0.5, "CB": 0.3})]
    assert compare(scores, spread=True).lines[-1].task == "standard deviation"


def on_rows(scores: Sequence[Score], rows: str | None) -> list[Score]:
    return [replace(score, rows=rows) for score in scores]


class TestRowsThatDiffer:
    def scores(self) -> list[Score]:
        """Two runs that were scored on the same rows of A and B, and on others of C."""
        same = {"A": 0.5, "B": 0.6}, {"A": 0.7, "B": 0.8}
        return [
            *on_rows(run("first", same[0]), "same"),
            *on_rows(run("second", same[1]), "same"),
            *on_rows(run("first", {"C": 0.9}), "some"),
            *on_rows(run("second", {"C": 0.1}), "others"),
            *majority({"A": 0.5, "B": 0.5, "C": 0.5}),
            *majority({"A": 0.5, "B": 0.5, "C": 0.4}, seed=1),
        ]

    def test_have_no_part_in_tests_and_averages(self) -> None:
        compared = compare(self.scores(), baseline="first")
        *_, of_c, average = compared.lines
        assert of_c.task == "C †"
        assert [entry and entry.mean for entry in of_c.entries] == [None, 0.9, 0.1]
        assert all(entry is None or entry.paired is None for entry in of_c.entries)
        assert average.task == "average of 2 common rows"
        assert average.entries[1] is not None
        assert average.entries[1].mean == pytest.approx(0.55)
        shown = compared.to_table("markdown")
        assert "**90.0**" not in shown
        assert "**70.0**" in shown
        assert shown.endswith(
            "- †: the runs were scored on other rows, other data or other definitions of labels: C."
            " No test, no bold and no part in the average; \\`allow_different=True\\` has them.\n"
        )

    def test_are_marked_where_they_are_allowed(self) -> None:
        compared = compare(self.scores(), baseline="first", allow_different=True)
        *_, of_c, average = compared.lines
        assert of_c.task == "C †"
        assert average.entries[1] is not None
        assert average.entries[1].mean == pytest.approx((0.5 + 0.6 + 0.9) / 3)
        shown = compared.to_table("markdown")
        assert "**90.0**" in shown
        assert shown.endswith("all the same (\\`allow_different=True\\`).\n")

    def test_tell_themselves_by_the_majority_class_where_runs_are_old(self) -> None:
        scores = on_rows(self.scores(), None)
        notes = compare(scores).notes
        assert len(notes) == 1
        assert notes[0].split(": ")[2].startswith("C.")
        assert not compare(on_rows(run("alone", {"A": 0.5}), None)).notes


def test_a_test_split_has_no_part_in_the_average() -> None:
    """A task's first split and the second one of MNLI count, whatever else was scored."""
    scores = run(
        "one",
        {
            "WNUT": 0.4,
            "WNUT/test": 0.1,
            "MNLI": 0.8,
            "MNLI/dev_mismatched": 0.6,
        },
    )
    lines = compare(scores).lines
    assert [line.task for line in lines] == ["WNUT", "WNUT (test)", "MNLI-m", "MNLI-mm", "average"]
    assert lines[-1].entries[0] is not None
    assert lines[-1].entries[0].mean == pytest.approx((0.4 + 0.8 + 0.6) / 3)
