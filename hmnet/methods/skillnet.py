"""SkillNet-style: one encoder, a feed-forward block per skill; a task activates a few of them."""

from collections.abc import Sequence

from hmnet.methods.method import Method, ModelGroup
from hmnet.sharing.plan import fully_shared
from hmnet.sharing.skill_table import SkillTable
from relevance.tasks.task import Task


class SkillNet(Method):
    """One model whose tasks share everything but the feed-forward blocks of others' skills.

    Source:
        Tang et al. (2022), "One Model, Multiple Tasks: Pathways for Natural Language
        Understanding"; with the skills of Fei et al. (2022), section 4.2.
    """

    reads_skills = True

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """One group with all tasks; the skill table has to have a row for each."""
        names = tuple(task.name for task in tasks)
        skills = (self.skills or SkillTable.load()).skills_of(tasks)
        plan = fully_shared(names, depth).model_copy(update={"skills": skills})
        return (ModelGroup(names, plan),)
