"""The base of kinds says nothing in place of a kind that forgot to."""

from hmnet.kinds.kind import OutputKind


def test_every_kind_says_itself_what_it_learns_and_answers() -> None:
    assert OutputKind.__abstractmethods__ == {"targets", "losses", "predictions", "answers"}
