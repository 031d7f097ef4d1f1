"""Size of the page of `relevance report`, and how soon a reader can work with it.

    python benchmarks/report_page.py --tasks 13 100 500

Each page shows one matrix of gains with standard errors, intervals and the scores of both runs of
every cell, in eight groups. It is opened from disk in headless Chromium (Debian's `chromium` and
`chromium-driver`), several times, each in a browser of its own. Interactive: milliseconds from the
start of the navigation until the map is drawn and its switches, pointer and keys work. Marking:
from a click on a task until everything about it is marked and the next frame is drawn.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from relevance.clustering.spec import ClusterSpec
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.page.build import lay_out
from relevance.report.page.html import render_html
from relevance.report.tables import table

GROUPS = 8
FRAME = """
    const done = arguments[0], start = performance.now();
    document.querySelector("button.task").click();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def gains(count: int) -> tuple[RelevanceMatrix, ClusterSpec]:
    """Gains over three seeds, higher within groups."""
    rng = np.random.default_rng(0)
    group = np.arange(count) % min(GROUPS, count)
    values = rng.normal(0, 0.03, (count, count)) + 0.04 * (group[:, None] == group)
    np.fill_diagonal(values, 0)
    single = rng.uniform(0.5, 0.9, (3, count))
    tasks = tuple(f"task {number}" for number in range(count))
    matrix = RelevanceMatrix(
        values,
        tasks,
        "joint-training",
        standard_errors=np.abs(rng.normal(0.01, 0.003, (count, count))),
        seeds=(0, 1, 2),
        single={"gain": single.tolist()},
        joint={"gain": (single[:, None, :] * (1 + values)).tolist()},
        majority={"gain": (0.9 * single.mean(axis=0)).tolist()},
    )
    members = [np.flatnonzero(group == each).tolist() for each in range(group.max() + 1)]
    return matrix, ClusterSpec(clusters=tuple(tuple(tasks[n] for n in each) for each in members))


def opened(page: Path) -> tuple[float, float]:
    """Milliseconds until a page is interactive, and those of marking a task."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("no chromium here")
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)
    browser: Any = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(page.as_uri())
        ready = float(browser.execute_script("return document.documentElement.dataset.ready"))
        return ready, float(browser.execute_async_script(FRAME))
    finally:
        browser.quit()


def main() -> None:
    """Print a row for each number of tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[13, 100, 500])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    os.environ["SE_OFFLINE"] = "true"
    rows = []
    for count in given.tasks:
        matrix, clusters = gains(count)
        start = time.perf_counter()
        text = render_html(lay_out([matrix], clusters=clusters))
        made = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.html")
            page.write_text(text, encoding="utf-8")
            times = [opened(page) for _ in range(given.repeats)]
        rows.append(
            {
                "tasks": count,
                "page (KB)": round(len(text.encode()) / 1000),
                "made in (s)": made,
                "interactive (ms, median)": round(median(each[0] for each in times)),
                "interactive (ms, slowest)": round(max(each[0] for each in times)),
                "marking (ms, median)": round(median(each[1] for each in times)),
            }
        )
    print(table(rows, "markdown"), end="")


if __name__ == "__main__":
    main()
