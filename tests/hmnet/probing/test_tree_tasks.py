"""Trees from CoNLL-U, and what is asked of them, by hand."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.probing.conllu import Tree, Word, read_trees
from hmnet.probing.tree_tasks import dependency_depth, object_number, subject_number, tense
from relevance.errors import RelevanceError

FINITE = "Mood=Ind|VerbForm=Fin"
TOGETHER = "\t".join(("{}", "ab", *"________")) + "\n"


def block(*words: str, text: str | None = None) -> str:
    """Lines of a sentence; a word is `form upos features head relation`."""
    rows = [f"# text = {text}"] if text else []
    for number, word in enumerate(words, 1):
        form, upos, features, head, relation = word.split(" ")
        cells = [str(number), form, form, upos, "_", features, head, relation, "_", "_"]
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n\n"


def tree(*words: str, folder: Path) -> Tree:
    file = folder / "one.conllu"
    file.write_text(block(*words), encoding="utf-8")
    (found,) = read_trees(file)
    return found


def test_a_sentence_with_all_that_is_asked(tmp_path: Path) -> None:
    found = tree(
        "Dogs NOUN Number=Plur 3 nsubj",
        f"have AUX {FINITE}|Tense=Pres 3 aux",
        "eaten VERB Tense=Past|VerbForm=Part 0 root",
        "the DET _ 5 det",
        "cake NOUN Number=Sing 3 obj",
        ". PUNCT _ 3 punct",
        folder=tmp_path,
    )
    assert tense(found) == "Pres"  # of the finite verb, not of the participle
    assert subject_number(found) == "Plur"
    assert object_number(found) == "Sing"
    assert found.depths() == [1, 1, 0, 2, 1, 1]
    assert dependency_depth(found) == "2"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((f"slept VERB {FINITE}|Tense=Past 0 root",), "Past"),
        ((f"was AUX {FINITE}|Tense=Past 2 cop", "late ADJ _ 0 root"), "Past"),
        ((f"was AUX {FINITE}|Tense=Past 2 aux:pass", "hit VERB VerbForm=Part 0 root"), "Past"),
        (("will AUX VerbForm=Fin 2 aux", "go VERB VerbForm=Inf 0 root"), None),
        (("Go VERB Mood=Imp|VerbForm=Fin 0 root",), None),
        (("Hello INTJ _ 0 root",), None),
        # the tense of a clause below the main one is not asked for
        (("Maybe ADV _ 0 root", f"came VERB {FINITE}|Tense=Past 1 advcl"), None),
    ],
)
def test_tense_is_that_of_the_main_clause(
    words: tuple[str, ...], expected: str | None, tmp_path: Path
) -> None:
    assert tense(tree(*words, folder=tmp_path)) == expected


def test_pronouns_and_two_objects_have_no_number(tmp_path: Path) -> None:
    found = tree(
        "He PRON Number=Sing 2 nsubj",
        f"saw VERB {FINITE}|Tense=Past 0 root",
        "cats NOUN Number=Plur 2 obj",
        "dogs NOUN Number=Plur 2 obj",
        folder=tmp_path,
    )
    assert subject_number(found) is None
    assert object_number(found) is None


@given(st.integers(0, 12))
def test_depth_of_a_chain_is_its_arcs_in_bins_of_our_own(arcs: int) -> None:
    words = [Word("a", "NOUN", {}, number, "dep") for number in range(arcs + 1)]
    words.append(Word(".", "PUNCT", {}, arcs + 1, "punct"))  # which does not make it deeper
    assert dependency_depth(Tree("a", tuple(words))) == str(min(max(arcs, 1), 7))


def test_tokens_of_several_words_and_empty_nodes_are_written_but_no_words(tmp_path: Path) -> None:
    rows = [
        "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No",
        "1\tdo\tdo\tAUX\t_\t_\t0\troot\t_\t_",
        "2\tn't\tnot\tPART\t_\t_\t1\tadvmod\t_\t_",
        "2.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_",
        "3\t!\t!\tPUNCT\t_\t_\t1\tpunct\t_\t_",
    ]
    file = tmp_path / "one.conllu.gz"
    with gzip.open(file, "wt", encoding="utf-8") as packed:
        packed.write("# newdoc\n\n" + "\n".join(rows))
    (found,) = read_trees(file)
    assert found.text == "don't!"
    assert [word.form for word in found.words] == ["do", "n't", "!"]


def test_the_text_of_the_comment_wins_whatever_its_script(tmp_path: Path) -> None:
    file = tmp_path / "one.conllu"
    text = "שלום  עולם \N{GRINNING FACE}"
    file.write_text(block("x X _ 0 root", text=text), encoding="utf-8")
    assert [each.text for each in read_trees(file)] == [" ".join(text.split())]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1\ta\n", "2 columns, CoNLL-U has 10"),
        (block("a X _ x root"), "the head of word 1 is 'x'"),
        (block("a X _ 0 root", "b X _ 0 root"), "2 words are roots"),
        (block("a X _ 0 root", "b X _ 3 dep", "c X _ 2 dep"), "in a circle"),
        (block("a X _ 0 root", "b X _ 9 dep"), "word 9 is a head, and there are 2"),
        (block("a X _ 0 root").replace("1\t", "2\t", 1), "not numbered"),
        (TOGETHER.format("1-x") + block("a X _ 0 root"), "the id '1-x' is neither a word's number"),
        (TOGETHER.format("1_0") + block("a X _ 0 root"), "the id '1_0' is neither"),
        (TOGETHER.format("1-2") + block("a X _ 0 root"), "the range 1-2 is none of its 1 words"),
        (TOGETHER.format("2-1") + block("a X _ 0 root", "b X _ 1 dep"), "the range 2-1 is none"),
        (block(f"a X _ {'9' * 5000} root"), "the head of word 1 is '999"),
    ],
)
def test_what_is_no_tree_is_told_with_its_place(
    content: str, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.conllu"
    file.write_text(block("a X _ 0 root") + content, encoding="utf-8")
    with pytest.raises(RelevanceError, match=expected) as error:
        list(read_trees(file))
    assert str(error.value).startswith(f"{file}, sentence at line 3: ")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match="cannot be read: No such file"):
        list(read_trees(tmp_path / "none.conllu"))
