"""The page as Markdown, rendered from the same value."""

from collections.abc import Iterable, Iterator

from relevance.escaping import for_line, for_markdown
from relevance.report.page.content import Caveat, Groups, Map, Page, PageTable
from relevance.report.tables import matrix_table, table


def render_markdown(page: Page) -> str:
    """The page as text.

    Args:
        page: The page.

    Returns:
        Markdown, ending with a line break; matrices of more than 60 tasks are told by their highest
        and lowest cells.
    """
    return "\n\n".join(part.rstrip("\n") for part in _parts(page)) + "\n"


def _parts(page: Page) -> Iterator[str]:
    yield f"# {for_markdown(page.title)}"
    yield "## What not to trust"
    yield _listed(map(_caveat, page.caveats)) or "Nothing is known against what follows."
    yield "## Who helps whom"
    for each in page.maps:
        yield from _map(each)
    if page.groups is not None:
        yield from _groups(page.groups)
    for heading, content in (
        ("Measure against measure", page.agreement),
        ("Scores of trained models", page.scores),
        ("Cost", page.cost),
    ):
        if content is not None:
            yield f"## {heading}"
            yield from _table(content)
    yield "## How it was made"
    for origin in page.origins:
        yield f"### {for_markdown(origin.name)}"
        yield _listed(f"{for_markdown(name)}: {for_markdown(fact)}" for name, fact in origin.facts)
    if page.commands:
        yield "\n".join(f"    {for_line(command)}" for command in page.commands)


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _caveat(caveat: Caveat) -> str:
    about = for_markdown(caveat.about)
    return f"{f'**{about}**' if caveat.grave else about}: {for_markdown(caveat.text)}"


def _map(shown: Map) -> Iterator[str]:
    yield f"### {for_markdown(shown.name)}"
    yield f"{for_markdown(shown.layout.quantity)}."
    if shown.extremes is None:
        yield matrix_table(shown.matrix, "markdown", decimals=shown.decimals)
    else:
        yield from _table(shown.extremes)


def _groups(groups: Groups) -> Iterator[str]:
    yield "## Groups"
    yield _listed(map(for_markdown, groups.lines))
    yield _listed(
        f"**{for_markdown(group.name)}**: {', '.join(map(for_markdown, group.tasks))}."
        f" {' '.join(map(for_markdown, group.lines))}".rstrip()
        for group in groups.groups
    )
    if groups.worth is not None:
        yield from _table(groups.worth)


def _table(shown: PageTable) -> Iterator[str]:
    yield table(
        shown.rows,
        "markdown",
        decimals=shown.decimals,
        bold=shown.bold,
        marked=[shown.starred],
    )
    if shown.remarks:
        yield _listed(map(for_markdown, shown.remarks))
