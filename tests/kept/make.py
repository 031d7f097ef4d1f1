"""Write what this version leaves behind, so that later ones can be asked to read it.

    PYTHONPATH=.:tests/support:tests/cli python tests/kept/make.py

Run once, before the packages were rearranged; what it would write now proves nothing. Every path
begins with `HERE`, which a test replaces by where it puts its copy.
"""

import os
import random
import shutil
from pathlib import Path

from conftest import CLUSTERS, SUFFIXES, TASKS, make_row, write_rows

from commands import done
from encoders import write_backbone
from relevance.files import canonical_json

HERE = Path("/tmp/kept")  # noqa: S108
KEPT = Path(__file__).parent / "0.1.0"
SKILLS = """skills = ["text", "pairs", "general"]
[families]
sentiment = ["text", "general"]
pairs = ["pairs", "general"]
"""
METHODS = {
    "hmnet": ("hmnet", "--clusters", HERE / "clusters.json", "--head", "auto,SAME=siamese"),
    "single": ("single",),
    "skillnet": ("skillnet", "--skills", HERE / "skills.toml"),
    "camtl": ("camtl:attention=full-block", "--checkpoint", "best"),
}


def main() -> None:
    """Write tasks, an encoder, a finished study and a run of each way to share layers."""
    shutil.rmtree(HERE, ignore_errors=True)
    os.environ["RELEVANCE_CACHE"] = str(HERE / "cache")
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 3}
    write_backbone("bert", HERE / "backbone", **sizes, max_position_embeddings=40)
    for task, suffix in SUFFIXES.items():
        for split, count in (("train", 24), ("dev", 12)):
            rng = random.Random(f"{task} {split}")  # noqa: S311
            rows = [make_row(task, rng) for _ in range(count)]
            write_rows(HERE / task / f"{split}{suffix}", rows)
    (HERE / "tasks.toml").write_text(TASKS)
    (HERE / "clusters.json").write_text(canonical_json(CLUSTERS))
    (HERE / "skills.toml").write_text(SKILLS)
    common = "--batch-size 8 --epochs 1 --max-length 32 --lr 1e-3 --precision fp32 --device cpu"
    options = ("--tasks", HERE / "tasks.toml", "--backbone", HERE / "backbone", *common.split())
    study = ("--single-seeds", 1, "--normalise", "absolute", "--gpus", 0, "--jobs", 1)
    pairwise = [option for option in options if option not in ("--device", "cpu")]
    done("relevance", "pairwise", *pairwise, *study, "--out", HERE / "gains.json")
    done("relevance", "cluster", HERE / "gains.json", "--k", 2, "--out", HERE / "out.json")
    for name, method in METHODS.items():
        run = HERE / name
        done("hmnet", "train", *options, "--method", *method, "--out", run)
        answers = done(
            "hmnet", "predict", run, "--task", "GRADE", "--input", HERE / "grade" / "dev.jsonl"
        )
        (HERE / f"{name}.jsonl").write_text(answers.out)
    for part in ("encoded", "locks"):
        shutil.rmtree(HERE / "cache" / part)
    shutil.rmtree(KEPT, ignore_errors=True)
    shutil.copytree(HERE, KEPT)


if __name__ == "__main__":
    main()
