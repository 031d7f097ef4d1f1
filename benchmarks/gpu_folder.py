"""A small folder with all that `gpu.sh` needs on a machine without network: at most 60 MB.

    python benchmarks/gpu_folder.py ../shared/data .gpu

MiniLM with weights of two bytes (they are read as fp32 again), a part of the rows of the 13 tasks,
and, with `--wheels`, the packages that a machine with torch and transformers may lack, for its
Python. `.gpu` is ignored by git.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from safetensors.torch import load_file, save_file

from relevance.tasks.find import find_tasks
from relevance.text.minilm import minilm_dir

TRAIN, DEV = 1_200, 500  # rows
LONGER = {"sst2": 10_000, "boolq": 5_000}  # whose steps are timed
TOGETHER = "idx_paragraph"  # of tasks whose rows are scored together
MOST_BYTES = 60 * 10**6
WHEELS = ("pydantic", "pydantic_core", "annotated-types", "typing-inspection", "typing-extensions")
WHEELS += ("filelock", "typer", "annotated-doc", "tomli-w", "sentencex", "torchjd", "beartype")
PLATFORMS = ("2014", "_2_17", "_2_28", "_2_31", "_2_34")


def main() -> None:
    """Write the folder and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--wheels", action="store_true", help="fetch packages too")
    parser.add_argument("--python", default="3.12", help="that the packages are for")
    options = parser.parse_args()
    write_encoder(options.out / "minilm")
    for task in find_tasks(["paper13"]):
        slug = task.name.lower().replace("-", "")
        for file in sorted((options.data / slug).glob("*.parquet")):
            write_rows(file, options.out / "data" / slug / file.name)
    if options.wheels:
        fetch(options.out / "wheels", options.python)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        raise SystemExit(f"That is above {MOST_BYTES / 1e6:.0f} MB. Take away what is old in it.")


def write_encoder(folder: Path) -> None:
    """MiniLM with weights of two bytes."""
    source = minilm_dir()
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_file(source / "model.safetensors")
    halved = {name: w.half() if w.is_floating_point() else w for name, w in weights.items()}
    save_file(halved, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(source / name, folder)
    shutil.copy(source / "special_tokens_map.json", folder)


def write_rows(file: Path, out: Path) -> None:
    """Some rows of a file: drawn, or the first ones where neighbours belong together."""
    rows = pd.read_parquet(file)
    most = LONGER.get(file.parent.name, TRAIN) if file.stem == "train" else DEV
    if len(rows) > most:
        rows = rows[:most] if TOGETHER in rows else rows.sample(most, random_state=0).sort_index()
    out.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(out, index=False)


def fetch(folder: Path, python: str) -> None:
    """Download wheels for another Python on Linux, in the versions that the project pins."""
    pinned = Path(__file__).parents[1] / "constraints.txt"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    command += ["--only-binary=:all:", "--python-version", python, "--implementation", "cp"]
    command += [f"--platform=manylinux{version}_x86_64" for version in PLATFORMS]
    subprocess.run([*map(str, command), "-c", str(pinned), *WHEELS], check=True)


if __name__ == "__main__":
    main()
