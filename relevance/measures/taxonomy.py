"""The manual taxonomy: tasks of one family belong together."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import Inputs, Measure
from relevance.tasks.task import Task

# Family: the levels above it, the widest first.
TREE = {
    "natural_language_inference": ("several_texts", "relation_of_meaning"),
    "similarity_and_paraphrase": ("several_texts", "relation_of_meaning"),
    "word_sense_disambiguation": ("several_texts", "relation_of_meaning"),
    "question_answering": ("several_texts", "reading_comprehension"),
    "commonsense_reasoning": ("several_texts", "cause_and_effect"),
    "sentiment_classification": ("one_text", "opinion"),
    "linguistic_acceptability": ("one_text", "grammar"),
    "named_entity_recognition": ("one_text", "information_extraction"),
    "coreference_resolution": ("one_text", "information_extraction"),
}


class Taxonomy(Measure):
    """Relevance by the manual taxonomy: 1 within a family, 0 across; or graded over a tree.

    Args:
        graded: Whether related families count for something.
    """

    def __init__(self, *, graded: bool = False) -> None:
        self.graded = graded

    @classmethod
    def build(cls, inputs: Inputs) -> "Taxonomy":
        """Take whether to grade."""
        return cls(graded=inputs.graded)

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Fill the matrix; no data is read.

        Args:
            tasks: At least one task, names all different.

        Returns:
            Ratios in [0, 1], symmetric; `provenance["families"]` has the tasks of each family.

        Source:
            Fei et al. (2022), section 4.1, whose four families the built-in tasks name.
        """
        families = [task.family for task in tasks]
        strange = [family for family in dict.fromkeys(families) if family not in TREE]
        warnings = []
        if self.graded and strange:
            warnings.append(
                f"families that the tree of families does not have are related to no other:"
                f" {', '.join(strange)}. It has: {', '.join(TREE)}."
            )
        return RelevanceMatrix(
            values=family_relevance(families, graded=self.graded),
            tasks=tuple(task.name for task in tasks),
            measure="taxonomy",
            cost={"seconds": 0.0},
            provenance={
                "version": self.version,
                "graded": self.graded,
                **({"warnings": warnings} if warnings else {}),
                "families": {
                    family: [task.name for task in tasks if task.family == family]
                    for family in dict.fromkeys(families)
                },
            },
        )


def family_relevance(
    families: Sequence[str], *, graded: bool = False
) -> Float[np.ndarray, "source target"]:
    """Closeness of the families of each two tasks.

    Args:
        families: The family of each task, in snake case.
        graded: Whether two families count for the levels of the tree that they share. A family
            that the tree does not have is related to no other.

    Returns:
        Ones within a family; across, 0 or the share of levels in common (graded: 0, 1/3 or 2/3).

    >>> families = ["natural_language_inference", "similarity_and_paraphrase", "my_own"]
    >>> family_relevance(families, graded=True).round(2).tolist()
    [[1.0, 0.67, 0.0], [0.67, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    levels = [(*TREE.get(family, (family, family)), family) for family in families]
    names = np.array(levels).reshape(len(families), -1)
    same = names[:, None] == names[None, :]  # source, target, level
    return np.asarray((same if graded else same[..., -1:]).mean(axis=-1))
