r"""HMNet by the groups of the reference study against multi-task, single-task and by families.

    cd benchmarks/studies/reference
    python groups.py DATA OUT --runs runs.csv --scores groups.csv

The eight tasks with the encoder, rows, epochs and learning rate of the study, scored on dev (at
most 1,000 rows), which no gain has seen: gains are of rows held out of train. The models are
`single`; `multi`, all layers shared; and `hmnet` with the first layer shared and the second one per
group (`--layers 1,1,0`): by families; by the k-means groups of the study, of tasks that help others
alike; and by the groups with the most predicted gain, of tasks that help each other.

Groups are those of `relevance cluster --k 3` on the mean gains of all seeds (`--k auto` chooses
their number by silhouette and stability, which takes minutes), with `--method predicted-gain` the
other time; they are made once and kept in OUT/groups*.json. Finished runs stand in the csv file and
are not made again; a run that was stopped goes on from its last checkpoint. `--show` trains
nothing, `--dry-run` says what one seed of each model would take. The table is that of `hmnet
compare --baseline`: every task over seeds by a paired t-test, the average over tasks by Wilcoxon's.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pandas as pd
from gains import TASKS, read_gains, read_table
from runs import TRAINING, command, encoder

import hmnet
from cli.app import bad_input_ends
from hmnet.comparison.compare import compare
from hmnet.runs.scores import Score
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.gains.gain_choice import METRICS

NAMES = ("single", "multi", "hmnet by families", "hmnet by gains", "hmnet by predicted gain")
BASELINE = "multi"
SCORE = list(Score.__annotations__)
NUMBERS = ("seed", "value", "majority")
TEXTS = [name for name in SCORE if name not in NUMBERS]


@bad_input_ends("groups.py")
def main() -> None:
    """Train what is missing, seed by seed, and print the table of all there is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path, required=True, help="csv file of runs.py")
    parser.add_argument("--scores", type=Path, required=True, help="csv file of finished runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    parser.add_argument("--metric", choices=METRICS, default="gain", help="of the study's gains")
    parser.add_argument("--k", default="3", help="number of groups, or auto")
    parser.add_argument("--layers", default="1,1,0", help="shared, per group, per task")
    parser.add_argument("--baseline", default=BASELINE, choices=NAMES)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, a thread each")
    parser.add_argument("--other", default="", help="settings other than the study's, for a trial")
    parser.add_argument("--show", action="store_true", help="train nothing")
    parser.add_argument("--dry-run", action="store_true", help="only say what a seed would take")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    groups = groups_of(options)
    print("groups of the study:", " / ".join(", ".join(group) for group in groups.clusters))
    made_with = TRAINING, options.layers, options.other, groups.clusters
    recipe = sha256(repr(made_with).encode()).hexdigest()[:8]
    if options.dry_run:
        for name in NAMES:
            print(f"{name}:", flush=True)
            train(name, options.seeds[0], options, "--dry-run")
        return
    found = pd.DataFrame()
    if options.scores.exists():
        found = read_table(options.scores, (*TEXTS, "recipe"), NUMBERS)
    own = found[found["recipe"] == recipe] if len(found) else found
    done = set(zip(own["run"], own["seed"], strict=True)) if len(own) else set()
    missing = [(name, seed) for seed in options.seeds for name in NAMES if (name, seed) not in done]
    for rows in finished([] if options.show else missing, options):
        found = pd.concat([found, rows.assign(recipe=recipe)])
        found.to_csv(options.scores, index=False)
    show(found[found["recipe"] == recipe] if len(found) else found, options)


def groups_of(options: argparse.Namespace) -> ClusterSpec:
    """The groups of the study by k-means; those and all others are made unless they are there."""
    gains, families = options.out / "gains.json", options.out / "taxonomy.json"
    made_by = {
        "gains": [gains, "--k", options.k],
        "families": [families],
        "predicted gain": [gains, "--method", "predicted-gain", "--k", options.k],
    }
    if not gains.is_file():
        read_gains(options.runs, options.metric, needed=TASKS).save(gains)
    if not families.is_file():
        tasks = ",".join(TASKS)
        call("relevance", "taxonomy", "--tasks", tasks, "--out", families, options=options)
    for by, arguments in made_by.items():
        if not groups_file(by, options).is_file():
            out = groups_file(by, options)
            call("relevance", "cluster", *arguments, "--out", out, options=options)
    return ClusterSpec.load(groups_file("gains", options))


def groups_file(by: str, options: argparse.Namespace) -> Path:
    """The file of groups by gains, by families or by predicted gain."""
    name = "groups.json" if by == "gains" else f"groups-{by.replace(' ', '-')}.json"
    folder: Path = options.out
    return folder / name


def call(*arguments: object, options: argparse.Namespace) -> None:
    """Run a command of the project on one thread."""
    command(*arguments, out=options.out, OMP_NUM_THREADS="1")


def train(name: str, seed: int, options: argparse.Namespace, *more: str) -> Path:
    """Train one model with one seed, or go on with it; gives its folder."""
    method, _, by = name.partition(" by ")
    folder: Path = options.out / name.replace(" ", "-") / f"seed-{seed}"
    arguments = ["--tasks", ",".join(TASKS), "--data-dir", options.data, "--method", method]
    arguments += ["--backbone", encoder(options.out), *TRAINING.split(), "--device", "cpu"]
    if by:
        arguments += ["--clusters", groups_file(by, options), "--layers", options.layers]
    arguments += ["--seed", seed, "--name", name, "--out", folder, "--resume", "--quiet"]
    arguments += [*shlex.split(options.other), *more]
    call("hmnet", "train", *arguments, options=options)
    return folder


def finished(missing: list[tuple[str, int]], options: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Rows of each run as soon as it is there, some runs at a time."""

    def rows(name: str, seed: int) -> pd.DataFrame:
        started = time.perf_counter()
        scores = hmnet.load(train(name, seed, options)).scores
        seconds = round(time.perf_counter() - started)
        print(f"{name}, seed {seed}: {seconds} s", file=sys.stderr, flush=True)
        found = pd.DataFrame([asdict(score) for score in scores if score.metric != "loss"])
        return found.assign(seconds=seconds)

    with ThreadPoolExecutor(options.jobs) as workers:
        try:
            for done in as_completed([workers.submit(rows, *each) for each in missing]):
                yield done.result()
        finally:
            workers.shutdown(cancel_futures=True)


def show(found: pd.DataFrame, options: argparse.Namespace) -> None:
    """Print the table of the runs there are."""
    if found.empty:
        raise RelevanceError(f"{options.scores} has no run of these settings. Leave out --show.")
    order = found.sort_values("run", key=lambda runs: runs.map(NAMES.index), kind="stable")
    scores = [Score(**row) for row in order[SCORE].to_dict("records")]
    table = compare(scores, baseline=options.baseline, spread=True)
    print(table.to_table("markdown"))


if __name__ == "__main__":
    main()
