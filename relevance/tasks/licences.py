"""Licences of tasks' data: which of them plainly let anybody share what is made of the data."""

import re

from relevance.tasks.task import Task

OPEN = re.compile(
    r"\b(apache|mit|bsd|cc0|cc[ -]by(-sa)?|public domain|oanc|odc-by|pddl|unlicense)\b",
    re.IGNORECASE,
)
LIMITED = re.compile(
    r"non-?commercial|\bn[cd]\b|research|redistribut|terms of|mixed", re.IGNORECASE
)


def in_question(task: Task) -> bool:
    """Whether somebody has to read the licence of a task's data before a model of it is shared.

    Args:
        task: The definition; its `licence` is words, as the catalogue and TOML files have it.

    Returns:
        False where the words name an open licence and no limit. Words that say nothing, such as
        `unknown`, are in question, and so are non-commercial and research licences.

    >>> from relevance.tasks.find import catalogue
    >>> found = [name for name, task in catalogue().items() if in_question(task)]
    >>> found  # doctest: +NORMALIZE_WHITESPACE
    ['RTE', 'CB', 'IMDB', 'SST-2', 'QQP', 'STS-B', 'MRPC', 'MultiRC', 'RTE@superglue', 'AX',
     'AX-b', 'AX-g', 'NewsQA', 'SearchQA', 'TriviaQA', 'CoLA', 'SST-5', 'ReCoRD', 'WiC']
    """
    return OPEN.search(task.licence) is None or LIMITED.search(task.licence) is not None
