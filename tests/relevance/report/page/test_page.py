"""The page is laid out as a plain value; HTML and Markdown are written from it."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.clustering.spec import ClusterSpec, MatrixFile, Stability
from relevance.errors import RelevanceError
from relevance.figures.heatmap import colours
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.page.build import lay_out, names_of
from relevance.report.page.content import Page, PageTable, RunScores
from relevance.report.page.html import render_html
from relevance.report.page.island import island, numbers
from relevance.report.page.markdown import render_markdown
from relevance.report.page.write import write_report

TABLE3 = load_matrix("paper:table3")
EVIL = "<img src=x onerror=alert(1)>"
SPEC = ClusterSpec(clusters=(("A", "B"), ("C",)), method="kmeans", k=2)


def gains(**changes: Any) -> RelevanceMatrix:
    """Gains of three tasks over two seeds, with scores: A helps B, C harms all."""
    single = np.array([[0.5, 0.6, 0.8], [0.5, 0.6, 0.8]])
    values = np.array([[0.0, 0.1, 0.05], [0.02, 0.0, 0.01], [-0.2, -0.1, 0.0]])
    joint = single[:, None, :] * (1 + np.stack([values, values]))
    matrix = RelevanceMatrix(
        values,
        ("A", "B", "C"),
        "joint-training",
        standard_errors=np.full((3, 3), 0.001),
        seeds=(0, 1),
        single={"gain": single.tolist()},
        joint={"gain": joint.tolist()},
        majority={"gain": [0.4, 0.5, 0.6]},
        cost={"seconds": 7348.0},
        provenance={"metric": "gain", "max_train": 320, "seeds": [0, 1]},
    )
    return replace(matrix, **changes)


def data_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(island(page))
    return found


def texts(page: Page) -> list[str]:
    return [caveat.text for caveat in page.caveats]


def test_numbers_of_cells_are_those_of_the_matrix() -> None:
    (shown,) = lay_out([gains()]).maps
    assert shown.values[0].tolist() == [0.0, 10.0, 5.0]
    assert shown.errors is not None
    assert shown.errors[0, 1] == 0.1
    assert shown.half_widths is not None
    assert shown.half_widths[0, 1] == 1.27  # Student's t with one degree of freedom: 12.7062
    assert shown.scores is not None
    assert shown.scores.metric == "mean of the gain metrics (%)"
    assert shown.scores.single.tolist() == [50.0, 60.0, 80.0]
    assert shown.scores.joint[0].tolist() == [50.0, 66.0, 84.0]
    assert shown.scores.majority is not None
    assert shown.scores.majority.tolist() == [40.0, 50.0, 60.0]


def test_scores_of_imported_runs_are_scores_and_nothing_else_is_said_of_them() -> None:
    (shown,) = lay_out([gains(provenance={})]).maps
    assert shown.scores is not None
    assert shown.scores.metric == "score (%)"


def test_losses_are_no_percent() -> None:
    loss = {"loss": [[0.69314718, 0.5, 0.5]]}
    joint = {"loss": [[[0.5, 0.25, 0.5]] * 3]}
    matrix = gains(single=loss, joint=joint, majority=None, provenance={"metric": "loss"})
    (shown,) = lay_out([matrix]).maps
    assert shown.scores is not None
    assert (shown.scores.single[0], shown.scores.joint[0, 1]) == (0.6931, 0.25)
    assert shown.scores.metric == "held-out loss"


def test_orders_are_the_groups_the_given_one_and_the_dendrogram() -> None:
    (shown,) = lay_out([gains()], clusters=ClusterSpec(clusters=(("C",), ("B", "A")))).maps
    assert list(shown.orders) == ["clusters", "given", "dendrogram"]
    assert shown.orders["clusters"].places == (2, 1, 0)
    assert shown.orders["clusters"].sizes == (1, 2)
    assert shown.orders["given"].places == (0, 1, 2)
    assert sorted(shown.orders["dendrogram"].places) == [0, 1, 2]


def test_a_matrix_with_unknown_cells_has_no_dendrogram() -> None:
    values = gains().values.copy()
    values[0, 1] = np.nan
    page = lay_out([gains(values=values)])
    assert list(page.maps[0].orders) == ["given"]
    assert "1 of 6 cells are unknown." in texts(page)
    assert data_of(page)["maps"][0]["values"][:3] == [0, None, 5]


def test_groups_of_some_tasks_stand_first() -> None:
    page = lay_out([gains()], clusters=ClusterSpec(clusters=(("C", "B"),)))
    order = page.maps[0].orders["clusters"]
    assert (order.places, order.sizes) == ((2, 1, 0), (2,))


def test_what_not_to_trust_comes_first_the_grave_before_the_mild() -> None:
    page = lay_out([gains(single=None, joint=None, standard_errors=None)], clusters=SPEC)
    assert [caveat.grave for caveat in page.caveats] == sorted(
        [caveat.grave for caveat in page.caveats], reverse=True
    )
    assert "Stability unknown: nobody measured it for these groups." in texts(page)
    assert any("nothing tells which of these gains are noise" in text for text in texts(page))
    for written in (render_html(page), render_markdown(page)):
        assert written.index("What not to trust") < written.index("Who helps whom")


def test_marks_are_counted_in_words() -> None:
    page = lay_out([gains(standard_errors=np.full((3, 3), 1.0))])
    assert "6 of 6 cells may be noise, as their 95 % interval covers 0." in texts(page)
    assert "No cell is without such a mark, so this matrix tells nothing." in texts(page)


def test_predicted_cells_are_told_and_bracketed() -> None:
    matrix = gains(provenance={"predicted": {"A": ["B"]}})
    page = lay_out([matrix])
    assert "1 of 6 cells are predicted by a model: nobody measured them." in texts(page)
    assert data_of(page)["maps"][0]["marks"][1] == "8"
    assert "(10.00)" in render_markdown(page)


def test_unstable_groups_are_a_warning_and_firm_ones_none() -> None:
    def found(index: float) -> list[str]:
        spec = SPEC.model_copy(update={"stability": Stability(adjusted_rand=index)})
        return [each.text for each in lay_out([gains()], clusters=spec).caveats if each.grave]

    assert any(text.startswith("Stability: adjusted Rand index 0.20") for text in found(0.2))
    assert not any("Rand" in text for text in found(0.9))


def test_groups_of_another_matrix_are_told() -> None:
    spec = SPEC.model_copy(update={"matrix": MatrixFile(file="old.json", sha256="0" * 64)})
    table = ClusterSpec(clusters=(TABLE3.tasks,)).made_from("paper:table3")
    assert (
        "They were made from old.json"
        in texts(lay_out([gains(), TABLE3], ["paper:table3", "paper:table3"], clusters=spec))[0]
    )
    own = lay_out([TABLE3], ["paper:table3"], clusters=table)
    assert not any("made from" in text for text in texts(own))


def test_groups_are_told_in_words() -> None:
    stability = Stability(
        adjusted_rand=0.8,
        tasks=("A", "B", "C"),
        consensus=((1.0, 0.75, 0.0), (0.75, 1.0, 0.25), (0.0, 0.25, 1.0)),
    )
    spec = SPEC.model_copy(update={"stability": stability, "inertia": 0.1})
    groups = lay_out([gains()], clusters=spec).groups
    assert groups is not None
    first, alone = groups.groups
    assert first.lines == (
        "Two of its tasks are together in 75 % of the resamples.",
        "Mean gain of its tasks: +6.00 % from each other, -15.00 % from tasks of other groups.",
    )
    assert alone.lines == ("Mean gain of its tasks: +3.00 % from tasks of other groups.",)
    assert any(line.startswith("Deciding columns: ") for line in groups.lines)
    assert groups.worth is not None


def test_without_stability_it_is_leaving_one_task_out_that_is_told() -> None:
    stability = Stability(
        adjusted_rand=None,
        sensitivity=0.9,
        tasks=("A", "B", "C"),
        consensus=((1.0, 0.75, 0.0), (0.75, 1.0, 0.25), (0.0, 0.25, 1.0)),
    )
    groups = lay_out([gains()], clusters=SPEC.model_copy(update={"stability": stability})).groups
    assert groups is not None
    assert groups.groups[0].lines[0] == (
        "Two of its tasks are together in 75 % of the groupings without one task; that is"
        " sensitivity, not stability."
    )


def test_every_two_matrices_are_compared() -> None:
    page = lay_out([TABLE3, load_matrix("paper:table2")])
    assert page.agreement is not None
    (row,) = page.agreement.rows
    assert (row["one"], row["other"], row["pairs"]) == ("joint-training", "vocabulary", 156)
    assert lay_out([TABLE3]).agreement is None


def test_matrices_that_share_no_tasks_are_shown_side_by_side() -> None:
    page = lay_out([TABLE3, gains()], ["paper:table3", "gains.json"])
    assert page.agreement is None
    assert len(page.tasks) == 16
    assert [each.name for each in page.maps] == [
        "joint-training (paper:table3)",
        "joint-training (gains.json)",
    ]


def test_names_differ_even_where_files_do_not() -> None:
    assert names_of([TABLE3, TABLE3], ["a/g.json", "b/g.json"]) == (
        "joint-training (g.json), 1",
        "joint-training (g.json), 2",
    )


def test_scores_come_from_whoever_has_them() -> None:
    table = PageTable(
        ({"task": "A", "single": "50.0 ± 1.0", "multi": 51.0},), 1, frozenset({(0, 2)})
    )
    page = lay_out([gains()], scores=RunScores(table, ("One seed only: multi.",)))
    assert "One seed only: multi." in texts(page)
    written = render_html(page)
    assert '<td class="number">50.0 ± 1.0</td>' in written
    assert '<td class="number best">51.0</td>' in written
    assert "| A    | 50.0 ± 1.0 | **51.0** |" in render_markdown(page)


def test_cost_is_told_as_people_say_it() -> None:
    page = lay_out([gains()])
    assert page.cost is not None
    assert page.cost.rows == ({"matrix": "joint-training", "computing time": "2 h 2 min"},)


def test_colours_are_those_of_the_figures() -> None:
    scale = data_of(lay_out([gains()]))["scales"]["diverging"]
    for step in (0, 100, 255):
        expected = np.round(255 * np.asarray(colours(diverging=True)(step))[:3]).astype(int)
        found = [int(scale["colours"][at : at + 2], 16) for at in range(6 * step, 6 * step + 6, 2)]
        assert found == expected.tolist()
    assert scale["light"][0] == "0"
    assert scale["light"][128] == "1"


def unpacked(packed: dict[str, Any]) -> list[float]:
    """As the script of the page reads it."""
    if "int16" in packed:
        whole = np.frombuffer(base64.b64decode(packed["int16"]), dtype="<i2")
        return [np.nan if one == -32768 else one / packed["scale"] for one in whole.tolist()]
    return [float(one) for one in np.frombuffer(base64.b64decode(packed["float32"]), dtype="<f4")]


@pytest.mark.parametrize("largest", [1.0, 300.0, 400.0, 1e9])
def test_packed_numbers_print_as_the_others_do(largest: float) -> None:
    values = np.round(np.linspace(-largest, largest, 41), 2)
    values[3] = np.nan
    packed: Any = numbers(values, 2, packed=True)
    assert ("int16" in packed) == (largest < 327)
    for one, other in zip(unpacked(packed), values.tolist(), strict=True):
        assert f"{one:.3g}" == f"{other:.3g}"
        if largest <= 400:
            assert f"{one:.2f}" == f"{other:.2f}"


def test_every_name_is_text() -> None:
    matrix = gains(tasks=(EVIL, "</script><script>alert(1)</script>", "C|*_"))
    spec = ClusterSpec(clusters=(matrix.tasks,), names=("<b>&\u202e",))
    page = lay_out([matrix], clusters=spec, title=EVIL, commands=[EVIL])
    written = render_html(page)
    assert "<img" not in written
    assert written.count("<script") == 2
    assert "\u202e" not in written
    assert html.escape(EVIL) in written
    assert data_of(page)["tasks"][0] == EVIL
    assert "<img" not in render_markdown(page).replace(r"\<img", "").replace(f"    {EVIL}", "")


def test_nothing_but_the_script_and_the_style_inside_may_run() -> None:
    written = render_html(lay_out([TABLE3]))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', written)
    assert policy is not None
    script = re.search(r"<script>(.*?)</script>", written, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", written, re.DOTALL)
    assert script is not None
    assert style is not None
    told = html.unescape(policy[1])
    assert told.startswith("default-src 'none';")
    for part, kind in ((script, "script"), (style, "style")):
        digest = base64.b64encode(hashlib.sha256(part[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in told
    assert "unsafe" not in told
    markup = written.replace(script[0], "").replace(style[0], "")
    assert not re.search(r"""\s(style|on\w+)=|(src|href)=["'](?!#)""", markup)


def test_equal_pages_are_equal_bytes_and_small() -> None:
    spec = ClusterSpec(clusters=(TABLE3.tasks[:6], TABLE3.tasks[6:]))
    first, second = (
        render_html(lay_out([TABLE3, load_matrix("paper:table2")], clusters=spec)) for _ in "ab"
    )
    assert first == second
    assert len(first.encode()) < 300_000


def test_many_tasks_are_packed_and_told_by_their_extremes() -> None:
    count = 120
    values = np.random.default_rng(0).normal(0, 0.05, (count, count))
    np.fill_diagonal(values, 0)
    matrix = RelevanceMatrix(values, tuple(f"T{n}" for n in range(count)), "joint-training")
    page = lay_out([matrix])
    assert page.maps[0].extremes is not None
    assert len(page.maps[0].extremes.rows) == 20
    assert len(render_html(page)) < 5e6 * (count / 500) ** 2 + 100_000
    assert len(render_markdown(page)) < 10_000
    (shown,) = data_of(page)["maps"]
    assert unpacked(shown["values"]) == pytest.approx(np.round(100 * values, 2).ravel())


def test_text_goes_beside_the_page(tmp_path: Path) -> None:
    out = tmp_path / "a report.html"
    assert write_report(TABLE3, out) == out
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert out.with_suffix(".md").read_text("utf-8").startswith("# Which of 13 tasks")


def test_other_names_groups_of_others_and_no_matrix_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"a report's name must end in \.html; the text goes"):
        write_report(TABLE3, tmp_path / "report.pdf")
    with pytest.raises(RelevanceError, match="lists 'X', which this matrix does not have"):
        lay_out([TABLE3], clusters=ClusterSpec(clusters=(("X",),)))
    with pytest.raises(RelevanceError, match="A report takes at least one matrix"):
        lay_out([])


def test_a_single_task_without_any_known_cell_has_a_page() -> None:
    page = lay_out([RelevanceMatrix(np.array([[0.0]]), ("A",), "own")])
    assert page.tasks == ("A",)
    assert "<h1>" in render_html(page)
    assert "## Who helps whom" in render_markdown(page)
