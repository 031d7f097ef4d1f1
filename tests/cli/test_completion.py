"""The shell completes commands, tasks and members, by the protocol that it asks with."""

import os
import subprocess
import sys

import pytest

LOADED = "print(*({'torch', 'transformers', 'numpy'} & {*sys.modules}), file=sys.stderr)"


@pytest.mark.process
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("relevance ch", {"check", "check-groups"}),
        ("relevance vocab --tasks RTE,Co", {"RTE,CoLA", "RTE,CoPA"}),
        ("relevance estimate gradient", {"gradient-cosine"}),
        ("hmnet train --sampler unc", {"uncertainty"}),
        ("hmnet train --me", {"--method"}),
    ],
)
def test_what_a_shell_is_told(line: str, expected: set[str]) -> None:
    words = line.split()
    asked = {
        f"_{words[0].upper()}_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    code = (
        f"import sys; sys.argv = [{words[0]!r}]\nfrom cli.{words[0]} import main\n"
        f"try: main()\nfinally: {LOADED}"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | asked,
    )
    assert set(told.stdout.split()) == expected, told.stderr
    assert told.stderr.strip() == ""
