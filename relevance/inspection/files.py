"""Which files belong to one task, and which split each of them is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from relevance.errors import RelevanceError
from relevance.names import some
from relevance.tasks.read import COMPRESSED, FORMATS

SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("dev", "valid", "validation", "val", "va", "trial", "testa"), "dev"),
    **dict.fromkeys(("test", "te", "tst", "testb"), "test"),
}
"""Splits by the words that names of files have for them."""
SUFFIXES = (*FORMATS, ".conll", ".conllu", ".bio", ".iob", ".label", ".data", ".train", ".test")
NO_DATA = re.compile(r"(readme|licen[cs]e|citation|changelog)\b", re.IGNORECASE)
WORDS = re.compile(r"[a-z]+|\d+", re.IGNORECASE)


@dataclass
class TaskFiles:
    """The files of one task.

    Attributes:
        name: What folder or files are called.
        train: File with the training rows.
        dev: File with the rows that are scored; None where there is none.
        test: File of the test split; None where there is none.
        extra: Further files that are scored, by name.
        unsure: Doubts about which file is what, as sentences.
    """

    name: str
    train: Path
    dev: Path | None = None
    test: Path | None = None
    extra: dict[str, Path] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)

    @property
    def splits(self) -> dict[str, Path]:
        """Files by split."""
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        return {name: path for name, path in named.items() if path is not None} | self.extra


def find_files(places: Sequence[Path]) -> list[TaskFiles]:
    """Find the tasks that some files or folders hold.

    Files of one folder with one word for the training split (train, training, tr) are one task;
    with several of them, those whose names are alike but for the split are. A file whose name names
    no split is a task of its own. A folder without data files is looked into one level deep.

    Args:
        places: Files and folders.

    Returns:
        The files of each task, in the order of places and names.

    Raises:
        RelevanceError: If a place is not there, or a folder has no data.
    """
    found: list[TaskFiles] = []
    single = [place for place in places if not place.is_dir()]
    for place in single:
        if not place.is_file():
            raise RelevanceError(f"{place}: no such file or folder.")
    found += _tasks_of(single, single[0].absolute().parent.name) if single else []
    for folder in (place for place in places if place.is_dir()):
        inner = [each for each in sorted(folder.iterdir()) if each.is_dir()]
        tasks = [
            task
            for each in (folder, *inner)
            for task in _tasks_of(_data(each), each.absolute().name)
        ]
        if not tasks:
            seen = some([each.name for each in sorted(folder.iterdir())]) or "nothing"
            raise RelevanceError(
                f"{folder} has no data files; it has {seen}. Known are {', '.join(FORMATS)}, packed"
                f" ones ({COMPRESSED}), and other text files that are named one by one."
            )
        found += tasks
    return found


def _data(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and not path.name.startswith(".")
        and not NO_DATA.match(path.name)
        and path.name.lower().removesuffix(COMPRESSED).endswith(SUFFIXES)
    ]


def _words(path: Path) -> list[str]:
    name = path.name.lower()
    for suffix in (COMPRESSED, *FORMATS):
        name = name.removesuffix(suffix)
    return WORDS.findall(name)


def _split_word(path: Path) -> str | None:
    """The word of a file's name that names a split, None where none does."""
    found = [word for word in reversed(_words(path)) if word in SPLITS]
    found.sort(key=lambda word: len(word) == 2)  # which may be a language's code: tr, te
    return found[0] if found else None


def _split_of(path: Path) -> str | None:
    """The split that a file's name names, None where it names none."""
    return SPLITS.get(_split_word(path) or "")


def _beside_split(path: Path) -> str:
    """The words of a file's name that name no split; beside one that does, `tr` is a language."""
    named = _split_word(path)
    return " ".join(
        word for word in _words(path) if word != named and (word not in SPLITS or len(word) == 2)
    )


def _tasks_of(files: Sequence[Path], folder: str) -> Iterator[TaskFiles]:
    """Tasks of some files, which stand in one folder or were named together."""
    named = [path for path in files if _split_of(path)]
    together = sum(_split_of(path) == "train" for path in named) == 1
    groups: dict[str, list[Path]] = {}
    for path in named:
        rest = "" if together else _beside_split(path)
        groups.setdefault(rest, []).append(path)
    for rest, group in groups.items():
        told = any(len(word) > 2 and word.isalpha() for word in rest.split())
        yield _task(group, rest if told else f"{folder} {rest}".strip())
    for path in files:
        if path not in named:
            stem = path.name.removesuffix(COMPRESSED)
            yield TaskFiles(Path(stem).stem or stem, path)


def _task(files: Sequence[Path], name: str) -> TaskFiles:
    """One task of files whose names name splits; of several for one the shortest name is it."""
    by_split: dict[str, list[Path]] = {"train": [], "dev": [], "test": []}
    for path in sorted(files, key=lambda path: (len(path.name), path.name)):
        by_split[str(_split_of(path))].append(path)
    unsure = []
    if not by_split["train"]:
        taken = "dev" if by_split["dev"] else "test"
        by_split["train"] = [by_split[taken].pop(0)]
        unsure.append(f"No file is called train, so {by_split['train'][0].name} is trained on.")
    unsure += [
        f"Of several files for {split} the others are left out: {some(left)}."
        for split in ("train", "test")
        if (left := [path.name for path in by_split[split][1:]])
    ]
    dev, test = (next(iter(by_split[split]), None) for split in ("dev", "test"))
    extra = {"_".join(_words(path)): path for path in by_split["dev"][1:]}
    return TaskFiles(name, by_split["train"][0], dev, test, extra, unsure)
