"""Do 95 % intervals from 5 seeds hold the truth, and are the planted groups found?

    python benchmarks/calibration.py --jobs 2

Joint-training gains of four generated tasks in two planted families, on a tiny encoder, with 50
seeds. The truth of a cell is its mean over the 45 seeds that an interval is not made of, so an
exact interval holds it a little less often than 95 times in 100: in 94. Finished runs are kept in
the cache; the same command goes on after a stop.
"""

import argparse
import sys

import numpy as np
from jaxtyping import Bool, Float

from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.measuring.joint_trainer import make_trainer
from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.families import family_clusters
from relevance.clustering.methods.kmeans import kmeans
from relevance.disk.files import cache_dir
from relevance.gains.formulas import gains
from relevance.gains.gain_choice import GainChoice
from relevance.jobs.job import Event, Schedule
from relevance.matrices.intervals import half_widths
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs
from relevance.measures.taxonomy import Taxonomy
from relevance.studies.study import single_run_seeds
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.generated import generate_tasks
from relevance.tasks.load import load_split

FAMILIES, SEEDS, GROUP = 2, 50, 5
TRAINING = {"max_length": 32, "lr": 2e-3, "epochs": 20, "precision": "fp32"}
DATA = DataOptions(None, 160, 240)
METRICS = ("gain", "loss")


def study(jobs: int) -> tuple[RelevanceMatrix, RelevanceMatrix]:
    """Gains over all seeds, and the planted families."""
    folder = cache_dir() / "calibration"
    tasks = find_tasks([str(generate_tasks(folder / "tasks", families=FAMILIES))])
    splits = [load_split(task, "train", None) for task in tasks]
    texts = [text for split in splits for column in split.texts for text in column]
    encoder = write_tiny_encoder(folder / "encoder", texts, width=24)
    settings = {**TRAINING, "backbone": str(encoder), "max_train": 160, "max_dev": 240}

    def on_event(event: Event) -> None:
        if event.kind == "done" and event.done % 50 == 0:
            print(f"{event.done} of {event.total} runs", file=sys.stderr, flush=True)

    inputs = Inputs(
        data=DATA,
        trainer=lambda: make_trainer(tasks, settings, device="cpu"),
        seeds=tuple(range(SEEDS)),
        schedule=lambda: Schedule(jobs_per_device=jobs, threads=1),
        on_event=on_event,
    )
    return JointTraining.build(inputs).measure(tasks), Taxonomy().measure(tasks)


def of_seeds(whole: RelevanceMatrix, seeds: tuple[int, ...], metric: str) -> RelevanceMatrix:
    """The matrix that a study of some of the seeds gives."""
    alone, together = np.asarray(whole.single[metric]), np.asarray(whole.joint[metric])
    all_alone = single_run_seeds(whole.seeds)
    single = alone[[all_alone.index(seed) for seed in single_run_seeds(seeds)]]
    joint = together[[whole.seeds.index(seed) for seed in seeds]]
    per_seed, errors = gains(single, joint, GainChoice(metric))
    return RelevanceMatrix(
        per_seed.mean(0), whole.tasks, whole.measure, standard_errors=errors, seeds=seeds
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    whole, families = study(parser.parse_args().jobs)
    planted = family_clusters(families)
    groups = [tuple(range(start, start + GROUP)) for start in range(0, SEEDS, GROUP)]
    off_diagonal = ~np.eye(len(whole.tasks), dtype=bool)
    print(f"{len(whole.tasks)} tasks, {len(groups)} studies of {GROUP} seeds each")
    for metric in METRICS:
        held: list[Bool[np.ndarray, " cell"]] = []
        widths: list[Float[np.ndarray, " cell"]] = []
        found = []
        for seeds in groups:
            few = of_seeds(whole, seeds, metric)
            others = tuple(seed for seed in range(SEEDS) if seed not in seeds)
            truth = of_seeds(whole, others, metric).values
            width = half_widths(few)
            held.append((np.abs(few.values - truth) <= width)[off_diagonal])
            widths.append(width[off_diagonal])
            found.append(adjusted_rand(kmeans(few, FAMILIES), planted))
        print(
            f"--metric {metric}: {np.mean(held):.1%} of {np.size(held)} intervals hold the truth"
            f" (by study {np.mean(held, axis=1).min():.0%} to {np.mean(held, axis=1).max():.0%}),"
            f" mean half width {np.mean(widths):.3f}; planted groups found in"
            f" {sum(ari == 1 for ari in found)} of {len(found)} studies"
        )


if __name__ == "__main__":
    main()
