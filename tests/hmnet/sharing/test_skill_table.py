"""The skill table: the spec's rows, rows of a user's own, and what is said about wrong ones."""

from pathlib import Path

import pytest

from hmnet.settings.config import RunConfig
from hmnet.sharing.skill_table import SkillTable
from relevance.errors import RelevanceError
from relevance.tasks.find import PAPER_TASKS, catalogue, find_tasks
from toys import toy

PAIR = ("sequence", "interaction", "general")
SENTIMENT = ("sentiment", "general")
QA = ("token", "interaction", "question", "general")
REVIEWS = toy("REVIEWS", family="reviews")


def written(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "skills.toml"
    file.write_text(content)
    return file


def test_the_built_in_table_is_the_papers() -> None:
    skills = SkillTable.load().skills_of(find_tasks(PAPER_TASKS))
    assert len(skills.names) == 7
    assert skills.active == {
        task: QA
        if task in ("BoolQ", "MultiRC")
        else SENTIMENT
        if task in ("IMDB", "SST-2")
        else PAIR
        for task in PAPER_TASKS
    }
    used = {skill for row in skills.active.values() for skill in row}
    assert set(skills.names) - used == {"domain"}


def test_the_built_in_table_has_a_row_for_every_built_in_task() -> None:
    assert set(SkillTable.load().skills_of(list(catalogue().values())).active) == set(catalogue())


def test_a_row_of_a_task_wins_over_its_familys_in_the_order_of_the_skills(tmp_path: Path) -> None:
    content = """
        skills = ["a", "b", "c"]
        [families]
        natural_language_inference = ["a"]
        [tasks]
        rte = ["c", "b"]
        REVIEWS = ["c"]
    """
    table = SkillTable.load(written(tmp_path, content))
    active = table.skills_of([*find_tasks(["RTE", "CB"]), REVIEWS]).active
    assert active == {"RTE": ("b", "c"), "CB": ("a",), "REVIEWS": ("c",)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{}: skills: Field required."),
        ("skills = []", "{}: list at least one skill, and each once."),
        ("skills = ['a', 'a']", "{}: list at least one skill, and each once."),
        ("skills = 'a'", "{}: skills: Input should be a valid tuple, got 'a'."),
        ("skills = ['a']\nfamilis = {}", "{}: Unknown field 'familis'. Did you mean 'families'?"),
        ("skills = ['a']\ntasks = {RTE = []}", "{}: task 'RTE' activates no skill; give it one"),
        (
            "skills = ['tone', 'word']\ntasks = {RTE = ['tones']}",
            "{}: task 'RTE': Unknown skill 'tones'. Did you mean 'tone'? Known: tone, word.",
        ),
        (
            "skills = ['a']\nfamilies = {reviews = ['a', 'a']}",
            "{}: family 'reviews' names a skill twice.",
        ),
        ("skills = [", "{} is not valid TOML: "),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(RelevanceError) as error:
        RunConfig(tasks=("RTE",), skills=file)
    assert str(error.value).startswith(message.format(file))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"families": {"question_answering": ("a",)}},
            (
                "The skill table has no row for task 'RTE' or its family"
                " 'natural_language_inference'. Add one to a table of your own and give it with"
                " `skills=FILE`."
            ),
        ),
        ({"tasks": {"RTEE": ("a",)}}, "Skill table: Unknown task 'RTEE'. Did you mean 'RTE'?"),
        (
            {"families": {"question_anwsering": ("a",)}},
            "Skill table: Unknown family 'question_anwsering'. Did you mean 'question_answering'?",
        ),
    ],
)
def test_tasks_and_rows_that_do_not_meet(
    table: dict[str, dict[str, tuple[str, ...]]], message: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        SkillTable(skills=("a",), **table).skills_of(find_tasks(["RTE"]))
    assert str(error.value).startswith(message)


def test_a_runs_settings_hold_the_whole_table(tmp_path: Path) -> None:
    """So that a run can be resumed when the file has gone."""
    file = written(tmp_path, "skills = ['a', 'b']\ntasks = {RTE = ['b']}")
    config = RunConfig(tasks=("RTE",), skills=file)
    config.to_toml(tmp_path / "config.toml")
    file.unlink()
    assert RunConfig.of_run(tmp_path / "config.toml") == config
    other = config.model_copy(update={"skills": SkillTable(skills=("a",))})
    with pytest.raises(RelevanceError, match=r"was started with skills = RTE: b, not "):
        other.check_resumes(config, tmp_path)
