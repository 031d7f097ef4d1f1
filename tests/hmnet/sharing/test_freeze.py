"""Which layers are to stay as pretrained: what a user may write, and how many layers that is."""

import pytest

from hmnet.sharing.freeze import Freeze
from relevance.errors import RelevanceError


@pytest.mark.parametrize(
    "text", ["", "half", "-1", "101%", "2.5", "%", "all layers", "0-4", "8-5", "5-"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RelevanceError) as error:
        Freeze.parse(text)
    assert str(error.value) == (
        "`freeze` takes a number of layers such as 4, a share such as 50%, layers such as 5-8,"
        f" embeddings or all, got '{text}'."
    )


def test_more_layers_than_there_are_are_refused() -> None:
    for text in ("13", "5-13"):
        with pytest.raises(RelevanceError) as error:
            Freeze.parse(text).layers(12)
        assert str(error.value) == (
            f"`freeze='{text}'` is more than the backbone's 12 layers. Give 12 at most, or all."
        )


def test_a_range_from_the_lowest_layer_is_a_number_of_layers() -> None:
    assert Freeze.parse("1-4") == Freeze.parse(" 01 - 4") == Freeze(last=4)


@pytest.mark.parametrize(
    ("text", "depth", "expected"),
    [("0", 12, 0), ("25%", 12, 3), ("50%", 6, 3), ("25%", 6, 2), ("1%", 12, 0), ("12", 12, 12)],
)
def test_shares_are_taken_to_the_nearest_layer(text: str, depth: int, expected: int) -> None:
    """The embeddings, at depth -1, are frozen as soon as one layer is."""
    assert list(Freeze.parse(text).layers(depth)) == list(range(-1 if expected else 0, expected))


def test_embeddings_alone() -> None:
    assert list(Freeze.parse(" Embeddings ").layers(12)) == [-1]
