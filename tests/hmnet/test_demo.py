"""The demo end to end, much smaller than what `relevance demo` trains."""

from pathlib import Path

import pytest

from hmnet.demo import METHODS, Demo, Size, Stage, run_demo
from hmnet.runs.folder import load_run
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.worth import group_worth
from relevance.escaping import for_markdown
from relevance.jobs.job import Event, Schedule
from relevance.matrices.matrix import load_matrix
from relevance.report.page.html import render_html

SMALL = Size(
    families=2,
    train_rows=96,
    study_epochs=8,
    epochs=2,
    lr=1e-2,
    width=8,
    seeds=(0,),
    single_seeds=1,
)
TASKS = ("REVIEWS", "COMMENTS", "FABLES", "CAPTIONS")
ONE_WORKER = Schedule(threads=1)
pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo, list[Event | Stage]]:
    folder = tmp_path_factory.mktemp("small")
    events: list[Event | Stage] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(folder / "cache"))
        demo = run_demo(folder / "demo", size=SMALL, schedule=ONE_WORKER, on_event=events.append)
    return folder / "demo", demo, events


def test_everything_is_measured_and_kept(small: tuple[Path, Demo, list[Event | Stage]]) -> None:
    folder, demo, _ = small
    assert demo.gains.tasks == TASKS
    assert load_matrix(str(folder / "gains.json")) == demo.gains
    for name in ("gains", "vocabulary", "taxonomy"):
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert ClusterSpec.load(folder / "clusters.json").clusters == demo.found.clusters
    assert demo.planted.clusters == (TASKS[:2], TASKS[2:])


def test_every_method_is_trained_and_scored(
    small: tuple[Path, Demo, list[Event | Stage]],
) -> None:
    folder, demo, _ = small
    assert demo.scores.columns == ("majority class", *METHODS)
    assert [line.task for line in demo.scores.lines] == [*TASKS, "average"]
    for method in METHODS:
        assert load_run(folder / "runs" / method / "seed-0").config.method.name == method


def test_the_report_tells_it(small: tuple[Path, Demo, list[Event | Stage]]) -> None:
    folder, demo, _ = small
    report = (folder / "report.md").read_text()
    assert report == demo.report()
    assert f"groups and families: {demo.agreement:.2f}" in report
    assert demo.scores.to_table("markdown") in report
    worth = group_worth(demo.gains, demo.found)
    assert worth is not None
    for line in worth.lines():
        assert f"- {for_markdown(line)}\n" in report


def test_the_page_has_matrices_groups_and_scores(
    small: tuple[Path, Demo, list[Event | Stage]],
) -> None:
    folder, demo, _ = small
    runs = [load_run(folder / "runs" / method / "seed-0") for method in METHODS]
    page = demo.page(runs)
    assert (folder / "report.html").read_text("utf-8") == render_html(page)
    assert [each.name for each in page.maps] == ["joint-training", "vocabulary", "taxonomy"]
    assert page.groups is not None
    assert page.scores is not None
    assert str(folder) not in render_html(page)


def test_it_tells_about_stages_and_jobs(small: tuple[Path, Demo, list[Event | Stage]]) -> None:
    *_, events = small
    stages = [event.text.split()[0] for event in events if isinstance(event, Stage)]
    assert stages == ["writing", "training", "training"]
    done = [event.total for event in events if isinstance(event, Event) and event.kind == "done"]
    assert done == [10] * 10 + [3] * 3  # 4 single and 6 joint runs, then the methods


def test_a_second_call_finds_what_the_first_has_done(
    small: tuple[Path, Demo, list[Event | Stage]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, demo, _ = small
    monkeypatch.setenv("RELEVANCE_CACHE", str(folder.parent / "cache"))
    events: list[Event | Stage] = []
    again = run_demo(folder, size=SMALL, schedule=ONE_WORKER, on_event=events.append)
    jobs = [event.job for event in events if isinstance(event, Event) and event.kind == "started"]
    assert jobs == [f"{method}, seed 0" for method in METHODS]  # which find finished runs
    assert again.report() == demo.report()
