from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hmnet.pretraining.corpus import Corpus, Documents, sentences
from hmnet.pretraining.encoded_corpus import encode_corpora
from relevance.errors import RelevanceError

WIKI = (
    " \n = Dogs = \n \nA dog runs. It sleeps.\nMen sit.\n \n = = Cats = = \n\n a cat is in it . \n"
)


@pytest.fixture
def tokenizer(tiny_bert: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_bert)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
        return tmp_path / "corpus.txt"

    return written


DOGS, CATS = ["A dog runs. It sleeps.", "Men sit."], ["a cat is in it ."]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("blank", [DOGS, CATS]),
        ("heading", [DOGS, CATS]),
        ("row", [["= Dogs ="], *([row] for row in DOGS), ["= = Cats = ="], CATS]),
    ],
)
def test_documents_end_where_it_is_said(
    write: Callable[[str], Path], documents: Documents, expected: list[list[str]]
) -> None:
    assert list(Corpus(write(WIKI), documents=documents).read()) == expected
    joined = WIKI.replace("\n \n = = Cats = = \n\n", "\n")  # neither a blank row nor a heading
    if documents != "row":
        assert list(Corpus(write(joined), documents=documents).read()) == [DOGS + CATS]
    repeated = Corpus(write("a\n\nb\na\n"), documents="row")
    assert list(repeated.read()) == [["a"], ["b"]]


def test_a_column_is_read_each_passage_once(tmp_path: Path) -> None:
    frame = pd.DataFrame({"question": ["a", "b", "c"], "context": ["One. Two.", None, "One. Two."]})
    for name in ("squad.parquet", "squad.csv"):
        path = tmp_path / name
        frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
        assert list(Corpus(path, "context", "row").read()) == [["One. Two."]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   ", []),
        ("כלב ישן. חתול רץ.", ["כלב ישן.", "חתול רץ."]),
        ("Great 😀! It was.", ["Great 😀!", "It was."]),
        (
            "Mr. Smith e.g. paid $3.50 to J. Doe. Then?",
            ["Mr. Smith e.g. paid $3.50 to J. Doe.", "Then?"],
        ),
    ],
)
def test_sentences_end_by_rule(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_ids_are_the_tokenizer_s_of_every_sentence(
    write: Callable[[str], Path], tokenizer: PreTrainedTokenizerBase
) -> None:
    corpus = encode_corpora([Corpus(write(WIKI), documents="heading")], tokenizer)
    expected = ["A dog runs.", "It sleeps.", "Men sit.", "a cat is in it ."]
    bounds = zip(corpus.sentences[:-1], corpus.sentences[1:], strict=True)
    found = [corpus.ids[begin:end].tolist() for begin, end in bounds]
    assert found == [tokenizer.encode(text, add_special_tokens=False) for text in expected]
    assert corpus.documents.tolist() == [0, 3, 4]


def test_a_corpus_is_encoded_once_and_again_where_the_cache_is_damaged(
    write: Callable[[str], Path],
    tokenizer: PreTrainedTokenizerBase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Corpus(write(WIKI), documents="heading")
    first = encode_corpora([source], tokenizer)
    ids = np.array(first.ids)
    file = Path(first.ids.filename)  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(Corpus, "read", lambda _: pytest.fail("read again"))
        assert encode_corpora([source], tokenizer).ids.tolist() == ids.tolist()
    file.write_bytes(bytes(file.stat().st_size))
    assert encode_corpora([source], tokenizer).ids.tolist() == ids.tolist()
    other = encode_corpora([Corpus(source.path, documents="row")], tokenizer)
    assert other.fingerprint != first.fingerprint


def test_a_corpus_that_cannot_be_used_is_told(
    write: Callable[[str], Path], tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(RelevanceError, match=r"corpus\.txt: there is no text"):
        encode_corpora([Corpus(write(" \n\n"))], tokenizer)
    for foreign in ("עץ גדול. בית ישן.", "😀 😀. 🎉!"):
        with pytest.raises(RelevanceError, match=r"% of the tokens are unknown to the backbone's"):
            encode_corpora([Corpus(write(foreign))], tokenizer)
    assert len(encode_corpora([Corpus(write("A dog runs. It sleeps. 😀 בית"))], tokenizer)) == 1
    with pytest.raises(RelevanceError, match="cannot be read"):
        encode_corpora([Corpus(tmp_path / "none.txt")], tokenizer)
    path = tmp_path / "table.parquet"
    pd.DataFrame({"context": ["a"], "number": [1]}).to_parquet(path)
    with pytest.raises(RelevanceError, match="it has context, number"):
        Corpus(path)
    for column, reason in (
        ("text", "has no column 'text'"),
        ("number", "holds 1, which is no text"),
    ):
        with pytest.raises(RelevanceError, match=reason):
            list(Corpus(path, column).read())
    (tmp_path / "latin.txt").write_bytes("é\n".encode("latin-1"))
    with pytest.raises(RelevanceError, match="UTF-8"):
        list(Corpus(tmp_path / "latin.txt").read())
