"""How many epochs the reference study needs: held-out scores after each epoch, for several seeds.

    python benchmarks/studies/reference/epochs.py BACKBONE DATA --epochs 4 --groups SNLI RTE,QQP

A target is converged where its score differs less between the last two epochs than between seeds:
mean absolute difference against standard deviation.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from gains import TASKS

from hmnet.backbones.backbone import load_backbone
from hmnet.evaluation.evaluate import evaluate
from hmnet.measuring.joint_trainer import make_trainer
from hmnet.models.build import build_model
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import lengths_of
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from hmnet.training.hooks.selection import Selection
from relevance.tasks.find import find_tasks


def main() -> None:
    """Print a line per group, target and seed, and what they say of convergence."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("backbone")
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--groups", nargs="+", default=list(TASKS), help="tasks trained together")
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--regression-loss", default="scale")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for group in options.groups:
        names = group.split(",")
        curves = {seed: scores(tuple(names), seed, options) for seed in options.seeds}
        for name in names:
            table = np.array([[epoch[name] for epoch in curves[seed]] for seed in options.seeds])
            for seed, row in zip(options.seeds, table, strict=True):
                print(f"{group:12} {name:6} seed {seed}:", " ".join(f"{100 * x:5.1f}" for x in row))
            step = np.abs(table[:, -1] - table[:, -2]).mean()
            spread = table[:, -1].std(ddof=1) if len(table) > 1 else float("nan")
            print(
                f"{group:12} {name:6} last step {100 * step:.2f}, seeds {100 * spread:.2f}",
                flush=True,
            )


def scores(
    names: tuple[str, ...], seed: int, options: argparse.Namespace
) -> list[dict[str, float]]:
    """Primary metrics after each epoch of one run, as the study trains it."""
    settings = {
        "data_dir": options.data,
        "max_train": 2000,
        "max_dev": 1000,
        "backbone": options.backbone,
        "pooling": "mean",
        "freeze": "embeddings",
        "max_length": 48,
        "lr": options.lr,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "length_grouped": True,
        "regression_loss": options.regression_loss,
    }
    trainer = make_trainer(find_tasks(names), settings, device="cpu")
    tasks = [trainer.prepared(name) for name in names]

    def score(model: MultiTaskModel) -> dict[str, float]:
        found = {t.name: evaluate(model, t.definition, t.held_out, batch_size=64) for t in tasks}
        return {t.name: found[t.name].metrics[t.definition.metrics[0]] for t in tasks}

    backbone = load_backbone(options.backbone, seed=seed)
    plan = fully_shared(names, backbone.depth)
    model = build_model(backbone, tasks, plan, trainer.settings, seed=seed, device="cpu")
    epochs = make_schedule(trainer.settings, lengths_of(tasks), seed)
    record = fit(model, tasks, epochs, trainer.settings, seed, [Selection(score)])
    return [dict(evaluation.scores) for evaluation in record.evaluations]


if __name__ == "__main__":
    main()
