"""Groups of the catalogue's tasks that have one name on the command line."""

from collections.abc import Sequence

PAPER_TASKS: tuple[str, ...] = (
    "MNLI",
    "QNLI",
    "RTE",
    "WNLI",
    "CB",
    "SNLI",
    "IMDB",
    "SST-2",
    "QQP",
    "STS-B",
    "MRPC",
    "BoolQ",
    "MultiRC",
)
"""The tasks of Fei et al. (2022) in the order of their Tables 2 and 3."""
GLUE = ("CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI")
SUPERGLUE = ("BoolQ", "CB", "COPA", "MultiRC", "ReCoRD", "RTE@superglue", "WiC", "WSC")
MRQA = ("NewsQA", "SearchQA", "TriviaQA", "HotpotQA", "NaturalQuestions", "SQuAD@mrqa")
GROUPS: dict[str, tuple[str, ...]] = {
    "paper13": PAPER_TASKS,
    "glue": GLUE,
    "superglue": SUPERGLUE,
    "mrqa": MRQA,
    # 24 scores, as MNLI has two; WNLI is not among them
    "camtl24": (*GLUE[:-1], *SUPERGLUE, *MRQA, "WNUT-17"),
}
"""Names of tasks by the name of their group: the benchmarks' tasks that have training rows.

Source:
    El Hattami (2021), Table 3.4, for `camtl24`.
"""


def ungrouped(names: Sequence[str]) -> tuple[str, ...]:
    """A list of names with every group replaced by its tasks.

    Args:
        names: Names of tasks, groups or files, in any case.

    Returns:
        The names; what a group adds is left out where it stands in the list already, and what was
        named itself stays, even if it is there twice.

    >>> ungrouped(["mrqa", "RTE"])[-2:], ungrouped(["MRPC", "glue"])[:3]
    (('SQuAD@mrqa', 'RTE'), ('MRPC', 'CoLA', 'SST-2'))
    """
    named = {name.lower() for name in names}
    found: list[str] = []
    for name in names:
        group = GROUPS.get(name.lower())
        if group is None:
            found.append(name)
            continue
        added = [each for each in group if each.lower() not in named]
        named |= {each.lower() for each in added}
        found += added
    return tuple(found)
