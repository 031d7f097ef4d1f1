"""Draw the gallery: every figure that a command draws, from tables of the package and small runs.

python docs/gallery.py [FOLDER]

writes gallery.md and the pictures below gallery/ in FOLDER, which is docs/ where none is given. It
takes a minute or two on a CPU and nothing from a network: matrices are the paper's, which ship with
the package, and runs are trained on generated tasks with a tiny random encoder, so what they show
is what such figures look like, and no result.
"""

import csv
import io
import os
import random
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from PIL import Image

import cli.hmnet
import cli.relevance
import hmnet
import relevance

MOST_PIXELS = 640  # width of a picture; 300 dots per inch make the files of figures large
COLOURS = 40
COMMANDS: dict[str, Callable[[], None]] = {
    "relevance": cli.relevance.main,
    "hmnet": cli.hmnet.main,
}
# Heading, picture, command. `FILE` stands for the picture, and what a command names is there.
FIGURES = (
    (
        "A matrix as a heat map",
        "heatmap",
        "relevance heatmap paper:table3 --out FILE --width 4.5 --vmax 10",
    ),
    (
        "With groups, in whole percents and other colours",
        "heatmap-groups",
        "relevance heatmap paper:table2 --clusters out.json --out FILE --decimals 0 --cmap viridis",
    ),
    (
        "Some tasks, in an order of one's own",
        "heatmap-order",
        "relevance heatmap paper:table3 --out FILE --order MNLI,SNLI,RTE,CB,WNLI --width 3.3",
    ),
    (
        "The heat map of a measure, as it is measured",
        "vocab",
        "relevance vocab --tasks tasks.toml --tokenizer word --out vocab.json --heatmap FILE",
    ),
    (
        "One task's influence, and that of others on it",
        "bars",
        "relevance bars paper:table3 --task BoolQ --out FILE",
    ),
    (
        "The same in one column of a paper",
        "bars-narrow",
        "relevance bars paper:table3 --task RTE --out FILE --width 3.3 --vmax 15",
    ),
    (
        "Groups under resampling",
        "consensus",
        "relevance cluster paper:table2 --k 3 --out out.json --consensus FILE",
    ),
    (
        "The number of groups",
        "choice-of-k",
        "relevance cluster paper:table2 --k auto --out auto.json --curve FILE",
    ),
    (
        "Which groups are merged",
        "dendrogram",
        "relevance cluster paper:table3 --k 3 --method agglomerative --dendrogram FILE",
    ),
    (
        "A cheap measure against measured gains",
        "scatter",
        "relevance compare paper:table2 --reference paper:table3 --figure FILE --width 3.3",
    ),
    (
        "How a run went",
        "curves",
        "hmnet curves runs/hmnet/seed-0 --out FILE",
    ),
    (
        "Training losses: mean of two seeds, with a band",
        "losses",
        "hmnet curves runs/multi runs/hmnet --what loss --out FILE",
    ),
    (
        "Scores on dev while training",
        "scores",
        "hmnet curves runs/multi runs/hmnet --what score --out FILE --title 'Score on dev'",
    ),
    (
        "How unsure each task still is",
        "uncertainty",
        "hmnet curves runs/multi runs/hmnet --what uncertainty --out FILE",
    ),
    (
        "How difficult the data sets are",
        "difficulty",
        "hmnet curves runs/multi runs/hmnet --what difficulty --out FILE",
    ),
    (
        "Several runs over their steps",
        "several-runs",
        "hmnet curves runs/multi runs/hmnet --out FILE",
    ),
    (
        "What more tasks do",
        "number-of-tasks",
        "hmnet compare runs/few runs/multi --figure FILE",
    ),
    (
        "A classifier's answers",
        "confusion",
        "hmnet diagnose runs/multi/seed-0 --task REVIEWS --out diagnosis --figures png",
    ),
    (
        "A regression's answers",
        "regression",
        "hmnet diagnose runs/multi/seed-0 --task STARS --out diagnosis --figures png",
    ),
    (
        "Where two runs look",
        "attention",
        "hmnet attention runs/multi/seed-0 runs/hmnet/seed-0 --task REVIEWS --heatmap FILE",
    ),
    (
        "How alike the tasks' inputs are",
        "similarity",
        "hmnet similarity runs/multi/seed-0 runs/hmnet/seed-0 --out FILE",
    ),
    (
        "How many layers to share",
        "sweep",
        "hmnet sweep --what shared --seeds 0,1 --config small.toml --out sweep --figure FILE",
    ),
    (
        "What every layer knows of sentences",
        "probing",
        "hmnet probe encoder --data probing --max-length 64 --out probed --figure FILE",
    ),
)
DIAGNOSED = {"confusion": "reviews-dev.png", "regression": "stars-dev.png"}
SMALL = """
tasks = ["tasks.toml"]
backbone = "encoder"
epochs = 1
batch_size = 8
lr = 5e-3
max_length = 32
device = "cpu"
precision = "fp32"
"""
HEAD = """# Gallery

Every figure that a command draws. `python docs/gallery.py` drew them and wrote this page, offline:
matrices are the paper's Tables 2 and 3, which ship with the package; runs were trained for seconds
on generated tasks with a tiny random encoder, so their figures show what there is to see and are no
results. Options of figures are in the [guide](guide.md#figures); from Python each is a function
that gives matplotlib axes ([names](architecture.md#public-names)).
"""


def main(folder: Path) -> None:
    """Draw everything.

    Args:
        folder: Gets `gallery.md` and `gallery/`.
    """
    pictures = folder.absolute() / "gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    page = [HEAD]
    with tempfile.TemporaryDirectory() as place, _inside(Path(place)):
        _prepare()
        for heading, name, command in FIGURES:
            print(f"{name}: {command}", file=sys.stderr)
            drawn = Path(f"{name}.png")
            _run(command.replace("FILE", str(drawn)))
            if name in DIAGNOSED:
                drawn = Path("diagnosis", DIAGNOSED[name])
            _shrink(drawn, pictures / drawn.with_stem(name).name)
            shown = command.replace("FILE", f"{name}.pdf")
            page.append(f"## {heading}\n\n```\n{shown}\n```\n\n![{heading}](gallery/{name}.png)\n")
    (folder / "gallery.md").write_text("\n".join(page), encoding="utf-8")


@contextmanager
def _inside(place: Path) -> Iterator[None]:
    """Work in a folder, with a cache of its own and no network."""
    before = Path.cwd()
    own = {"RELEVANCE_CACHE": str(place / "cache"), "HF_HUB_OFFLINE": "1"}
    os.chdir(place)
    try:
        with patch.dict(os.environ, own):
            yield
    finally:
        os.chdir(before)


def _run(command: str) -> None:
    """Run a command in this process; its texts go to nobody.

    Args:
        command: Such as `relevance tasks`.

    Raises:
        SystemExit: If it ends with another status than 0.
    """
    words = shlex.split(command)
    with patch.object(sys, "argv", words), redirect_stdout(io.StringIO()):
        try:
            COMMANDS[words[0]]()
        except SystemExit as end:
            if end.code:
                raise SystemExit(f"{command}: exit status {end.code}") from end


def _prepare() -> None:
    """Write tasks, an encoder, probing tasks and groups, and train the runs."""
    file = relevance.generate_tasks(Path(), families=2, train_rows=80, dev_rows=40)
    tasks = relevance.find_tasks([str(file)])
    rows = [relevance.load_task(task, relevance.DataOptions()).train for task in tasks]
    texts = [text for split in rows for text in split.texts[0]]
    _, first, second, *_ = file.read_text(encoding="utf-8").split("[[task]]")
    Path("few.toml").write_text(f"[[task]]{first}[[task]]{second}", encoding="utf-8")
    file.write_text(_with_stars(file, texts), encoding="utf-8")
    hmnet.write_tiny_encoder(Path("encoder"), texts, width=24)
    _write_probing(texts)
    _run("relevance cluster paper:table2 --k 3 --out out.json")
    _run("relevance taxonomy --tasks tasks.toml --out taxonomy.json")
    _run("relevance cluster taxonomy.json --out groups.json")
    Path("small.toml").write_text(SMALL, encoding="utf-8")
    common = "hmnet train --config small.toml --epochs 4 --checkpoint best --seeds 0,1"
    common += " --log-uncertainty"
    _run(f"{common} --method multi --out runs/multi")
    _run(f"{common} --clusters groups.json --out runs/hmnet")
    _run(f"{common} --tasks few.toml --method multi --name few --out runs/few")


def _with_stars(file: Path, texts: Sequence[str]) -> str:
    """The generated tasks, and a task of regression whose labels are lengths of texts."""
    draw = random.Random(0)  # noqa: S311  no secret
    for split in ("train", "dev"):
        with Path(f"stars-{split}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["sentence", "label"])
            for text in draw.sample(list(texts), 80):
                writer.writerow([text, round(len(text.split()) / 4 + draw.random(), 2)])
    stars = (
        '\n[[task]]\nname = "STARS"\nfamily = "length"\nkind = "regression"\nrange = [0, 5]\n'
        'text = ["sentence"]\nmetrics = ["pearson"]\n'
        'source = { train = "stars-train.csv", dev = "stars-dev.csv" }\n'
    )
    return file.read_text(encoding="utf-8") + stars


def _write_probing(texts: Sequence[str]) -> None:
    """Two probing tasks in SentEval's form: the first word, and the length."""
    Path("probing").mkdir()
    labels: dict[str, Callable[[str], str]] = {
        "begins with the": lambda text: "yes" if text.split()[0] == "the" else "no",
        "length": lambda text: "long" if len(text) > 72 else "short",
    }
    splits = ("tr", "tr", "tr", "va", "te")
    for name, label in labels.items():
        lines = [f"{splits[n % 5]}\t{label(text)}\t{text}" for n, text in enumerate(texts[:400])]
        Path("probing", f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shrink(drawn: Path, kept: Path) -> None:
    """Keep a picture small: at most so many pixels wide, and so many colours."""
    with Image.open(drawn) as picture:
        image = picture.convert("RGB")
    if image.width > MOST_PIXELS:
        height = round(image.height * MOST_PIXELS / image.width)
        image = image.resize((MOST_PIXELS, height), Image.Resampling.LANCZOS)
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(kept, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
