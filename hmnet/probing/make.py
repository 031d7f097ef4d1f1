"""Probing tasks made from texts or gold trees, written in SentEval's form."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hmnet.pretraining.corpus import Corpus, sentences
from hmnet.probing import text_tasks, tree_tasks
from hmnet.probing.conllu import Tree, read_trees
from hmnet.samplers.sampler import generator
from relevance.disk.files import check_writable, write_text
from relevance.disk.folders import new_folder
from relevance.errors import RelevanceError, unknown_name

FROM_TEXT: dict[str, Callable[[Sequence[str], int], Iterator[tuple[str, str]]]] = {
    "sentence_length": text_tasks.sentence_length,
    "word_content": text_tasks.word_content,
    "bigram_shift": text_tasks.bigram_shift,
}
FROM_TREES: dict[str, Callable[[Tree], str | None]] = {
    "past_present": tree_tasks.tense,
    "subj_number": tree_tasks.subject_number,
    "obj_number": tree_tasks.object_number,
    "dependency_depth": tree_tasks.dependency_depth,
}
OTHER_NAMES = {
    "length": "sentence_length",
    "tense": "past_present",
    "subject_number": "subj_number",
    "object_number": "obj_number",
}
HELD_OUT = 10  # one sentence of so many tests, another one chooses the epoch


class MadeTask(NamedTuple):
    """A task that was made.

    Attributes:
        task: Name of the task, and of its file but for the suffix.
        labels: Number of its classes.
        train: Number of training rows.
        dev: Number of dev rows.
        test: Number of test rows.
    """

    task: str
    labels: int
    train: int
    dev: int
    test: int


def task_names(given: Iterable[str]) -> list[str]:
    """Names of tasks that can be made.

    Args:
        given: Names in any case, with hyphens or underscores; `length`, `tense`, `subject-number`
            and `object-number` are known too, and `all` is all of them.

    Returns:
        The names as files have them, each once.

    Raises:
        RelevanceError: If one is unknown, or there is none.
    """
    known = {**FROM_TEXT, **FROM_TREES}
    found: dict[str, None] = {}
    for name in given:
        plain = name.strip().lower().replace("-", "_").replace(" ", "_")
        plain = OTHER_NAMES.get(plain, plain)
        if plain != "all" and plain not in known:
            raise unknown_name("probing task", name, [*known, *OTHER_NAMES, "all"])
        found |= dict.fromkeys(known if plain == "all" else (plain,))
    if not found:
        raise RelevanceError(f"No task is named. Known: {', '.join(known)}.")
    return list(found)


def make_tasks(
    names: Sequence[str],
    out: Path,
    *,
    text: Sequence[Corpus] = (),
    conllu: Sequence[Path] = (),
    seed: int = 0,
) -> list[MadeTask]:
    """Make probing tasks and write each as `TASK.txt` with lines `tr|va|te TAB label TAB sentence`.

    Of each class a tenth of the sentences is the dev part and a tenth the test part, drawn. Equal
    sentences count once, with the first label that they have.

    Args:
        names: Names of tasks, as `task_names` takes them.
        out: A folder that does not exist or is empty; it appears whole or not at all.
        text: Texts whose sentences are taken; without them, those of the trees.
        conllu: CoNLL-U files with gold trees.
        seed: Seed of all that is drawn.

    Returns:
        The tasks.

    Raises:
        RelevanceError: If a name is unknown, what a task is made of is not given, the folder
            exists, a file cannot be read, or a task has fewer than two classes or too few
            sentences.
    """
    wanted = task_names(names)
    if not conllu and (lacking := [name for name in wanted if name in FROM_TREES]):
        raise RelevanceError(
            f"{', '.join(lacking)} can be told from gold trees alone. Give a CoNLL-U file with"
            " `conllu`."
        )
    if not text and not conllu:
        raise RelevanceError("There is nothing to make tasks of. Give `text` or `conllu`.")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise RelevanceError(f"{out} exists. Give another `out`.")
    check_writable(out / f"{wanted[0]}.txt")
    trees = [tree for path in conllu for tree in read_trees(path)]
    plain: list[str] = []
    if any(name in FROM_TEXT for name in wanted):
        plain = list(dict.fromkeys(_sentences(text) if text else (tree.text for tree in trees)))
    made = {}
    for name in wanted:
        if name in FROM_TEXT:
            labelled = list(FROM_TEXT[name](plain, seed))
        else:
            labels = [(FROM_TREES[name](tree), tree.text) for tree in trees]
            labelled = [(label, sentence) for label, sentence in labels if label is not None]
        made[name] = _parted(name, labelled, seed)
    with new_folder(out) as folder:
        for name, lines in made.items():
            text_of_lines = "".join("\t".join(line) + "\n" for line in lines)
            write_text(folder / f"{name}.txt", text_of_lines)
    return [_summary(name, lines) for name, lines in made.items()]


def _sentences(corpora: Iterable[Corpus]) -> Iterable[str]:
    """Sentences of texts, with single spaces."""
    for corpus in corpora:
        for document in corpus.read():
            for paragraph in document:
                yield from (" ".join(sentence.split()) for sentence in sentences(paragraph))


def _parted(
    name: str, labelled: Iterable[tuple[str, str]], seed: int
) -> list[tuple[str, str, str]]:
    """Lines of a task, each sentence once: part, label and sentence."""
    labels: dict[str, str] = {}
    for label, sentence in labelled:
        labels.setdefault(sentence, label)
    of_class: dict[str, list[str]] = {}
    for sentence, label in labels.items():
        of_class.setdefault(label, []).append(sentence)
    if len(of_class) < 2:
        raise RelevanceError(
            f"{name}: the sentences have {len(of_class)} classes, two or more are needed. Give more"
            " text."
        )
    parts: dict[str, str] = {}
    for label, found in of_class.items():
        order = generator(seed, "probing", "made", name, label).permutation(len(found))
        # a class of three sentences has one in each part, a smaller one is in training alone
        held_out = max(1, len(found) // HELD_OUT) if len(found) > 2 else 0
        for number, place in enumerate(order):
            part = "te" if number < held_out else "va" if number < 2 * held_out else "tr"
            parts[found[place]] = part
    if not {"va", "te"} <= set(parts.values()):
        raise RelevanceError(
            f"{name}: no class has three sentences, one for each part. Give more text."
        )
    return [(parts[sentence], label, sentence) for sentence, label in labels.items()]


def _summary(name: str, lines: Sequence[tuple[str, str, str]]) -> MadeTask:
    parts = Counter(part for part, _, _ in lines)
    labels = len({label for _, label, _ in lines})
    return MadeTask(name, labels, parts["tr"], parts["va"], parts["te"])
