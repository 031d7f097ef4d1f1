"""Probing tasks made from gold dependency trees."""

from hmnet.probing.conllu import Tree, Word

DEEPEST = 7
SHALLOWEST = 1


def tense(tree: Tree) -> str | None:
    """Tense of the main clause, by its finite verb.

    Args:
        tree: A sentence.

    Returns:
        `Past` or `Pres`; None where the clause has no finite verb with a tense, as with modals.

    Source:
        Conneau et al. (2018), task Tense, whose verbs come from a parser.
    """
    root = tree.words[tree.root - 1]
    helpers = [w for w in tree.dependents(tree.root) if w.relation in ("aux", "cop")]
    finite = [word for word in (*helpers, root) if word.features.get("VerbForm") == "Fin"]
    found = finite[0].features.get("Tense") if finite else None
    return found if found in ("Past", "Pres") else None


def subject_number(tree: Tree) -> str | None:
    """Number of the subject of the main clause, where it is a noun.

    Args:
        tree: A sentence.

    Returns:
        `Sing` or `Plur`; None without such a subject.

    Source:
        Conneau et al. (2018), task SubjNum.
    """
    return _number(tree, "nsubj")


def object_number(tree: Tree) -> str | None:
    """Number of the direct object of the main clause, where it is a noun.

    Args:
        tree: A sentence.

    Returns:
        `Sing` or `Plur`; None without such an object.

    Source:
        Conneau et al. (2018), task ObjNum.
    """
    return _number(tree, "obj")


def dependency_depth(tree: Tree) -> str:
    """Depth of the dependency tree: arcs from the root down to the deepest word.

    This is not SentEval's tree depth, which is that of a constituency tree. Punctuation is not
    counted. The bins are our own.

    Args:
        tree: A sentence.

    Returns:
        `1` for one arc and none, `2` to `6`, `7` for seven and more.
    """
    depths = zip(tree.depths(), tree.words, strict=True)
    deepest = max((depth for depth, word in depths if word.upos != "PUNCT"), default=0)
    return str(min(max(deepest, SHALLOWEST), DEEPEST))


def _number(tree: Tree, relation: str) -> str | None:
    """Number of the only noun in a relation to the root."""
    found: list[Word] = [w for w in tree.dependents(tree.root) if w.relation == relation]
    if len(found) != 1 or found[0].upos != "NOUN":
        return None
    number = found[0].features.get("Number")
    return number if number in ("Sing", "Plur") else None
