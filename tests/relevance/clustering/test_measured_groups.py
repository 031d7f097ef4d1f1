"""Files of groups that were trained: what is read, and what is refused in one line."""

from pathlib import Path

import pytest

from relevance.clustering.measured_groups import MeasuredGroup, read_measured_groups
from relevance.errors import RelevanceError

TASKS = ("RTE", "CB", "WNLI")


def written(folder: Path, *rows: str, header: str = "group,task,predicted,gain") -> Path:
    path = folder / "groups.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_groups_and_their_gains(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "RTE & CB & WNLI,RTE,0.1,0.2",
        "CB & WNLI & RTE,CB,0.1,-0.05",
        "RTE & CB,CB,0.1,0.3",
        "RTE & WNLI,RTE,0.1,",
        "RTE & WNLI,,0.1,0.2",
        "WNLI,WNLI,0.0,0.0",
    )
    assert read_measured_groups(path, TASKS) == (
        MeasuredGroup(frozenset(TASKS), {"RTE": 0.2, "CB": -0.05}),
        MeasuredGroup(frozenset({"RTE", "CB"}), {"CB": 0.3}),
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["RTE & CD,RTE,0,0.1"], "line 2: Unknown task 'CD'. Did you mean 'CB'?"),
        (["RTE & CB,WNLI,0,0.1"], "line 2: group 'RTE & CB' and task 'WNLI': a group is different"),
        (["RTE,RTE,0,0.1"], " has no gain of any group."),
        (["RTE & RTE,RTE,0,0.1"], "line 2: group 'RTE & RTE' and task 'RTE': a group is different"),
        (["RTE & CB,CB,0,0.1", "CB & RTE,CB,0,0.2"], "line 3: a second gain of CB in CB & RTE."),
        (["RTE & CB,CB,0,much"], "line 2: gain 'much' is no number."),
        (["RTE & CB,CB,0,1_0"], "line 2: gain '1_0' is no number."),
        (["RTE & CB,CB,0,inf"], "line 2: gain 'inf' is no number."),
        (["RTE & CB,CB,0,"], " has no gain of any group."),
    ],
)
def test_what_is_refused(tmp_path: Path, rows: list[str], words: str) -> None:
    with pytest.raises(RelevanceError) as raised:
        read_measured_groups(written(tmp_path, *rows), TASKS)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match="gain"):
        read_measured_groups(written(tmp_path, "RTE & CB,CB", header="group,task"), TASKS)
