"""Cosine of mean token vectors, against sums over every token written out."""

import json
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from relevance.errors import RelevanceError
from relevance.measures._estimator import cosines
from relevance.measures.measure import Inputs, measures
from relevance.measures.token_embedding import TokenEmbedding, mean_vectors
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task
from relevance.tasks.task import Source, Task
from relevance.text import minilm
from relevance.text.token_vectors import TokenVectors
from relevance.text.tokenizers import SubwordTokenizer
from toys import toy

WORDS = ("[UNK]", "east", "north", "up")
DIRECTIONS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 2]], dtype=np.float32)


def compass() -> TokenVectors:
    """Four words, three of which point along an axis each."""
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=WORDS[0]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return TokenVectors("compass", SubwordTokenizer("compass", tokenizer), DIRECTIONS, "abc")


def write_task(folder: Path, name: str, *texts: str) -> Task:
    for split in ("train", "dev"):
        path = folder / f"{name}-{split}.csv"
        path.write_text("sentence,label\n" + "".join(f'"{text}",0\n' for text in texts))
    return toy(
        name,
        source=Source(train=str(folder / f"{name}-train.csv"), dev=str(folder / f"{name}-dev.csv")),
    )


def test_every_occurrence_counts_once(tmp_path: Path) -> None:
    tasks = [
        write_task(tmp_path, "EAST", "east east east east", "East east, xyz"),
        write_task(tmp_path, "NORTHEAST", "east north east", "north", "east east", "north north"),
        write_task(tmp_path, "HIGH", "east", "up"),
    ]
    matrix = TokenEmbedding(compass).measure(tasks)
    half, fifth = np.sqrt(1 / 2), np.sqrt(1 / 5)  # of (1, 1, 0) and (1, 0, 2) to (1, 0, 0)
    np.testing.assert_allclose(
        matrix.values,
        [[1, half, fifth], [half, 1, half * fifth], [fifth, half * fifth, 1]],
        atol=1e-12,
    )
    assert matrix.measure == "token-embedding"
    assert matrix.cost["seconds"] > 0
    assert matrix.provenance == {
        "version": 1,
        "vectors": {"name": "compass", "fingerprint": "abc"},
        "tokenizer": {"name": "compass", "fingerprint": compass().tokenizer.fingerprint},
        "max_train": None,
        "rows": {"EAST": 2, "NORTHEAST": 4, "HIGH": 2},
        "tokens": {"EAST": 8, "NORTHEAST": 8, "HIGH": 2},
    }


COUNTS = st.lists(
    st.dictionaries(st.integers(0, 7), st.integers(1, 1000), min_size=1), min_size=1, max_size=5
)


@given(COUNTS, st.integers(0, 99))
def test_means_and_cosines_are_those_of_all_tokens_one_by_one(
    counts: list[dict[int, int]], seed: int
) -> None:
    vectors = np.random.default_rng(seed).normal(size=(8, 3)).astype(np.float32)
    means = mean_vectors(counts, vectors, tasks=tuple(map(str, range(len(counts)))))
    plain = [vectors[list(Counter(each).elements())].astype(float).mean(axis=0) for each in counts]
    np.testing.assert_allclose(means, plain, rtol=1e-9, atol=1e-12)
    values = cosines(means @ means.T)
    for row, one in enumerate(plain):
        for column, other in enumerate(plain):
            cosine = one @ other / np.sqrt(one @ one) / np.sqrt(other @ other)
            assert values[row, column] == pytest.approx(cosine, abs=1e-9)
    np.testing.assert_array_equal(values, values.T)
    assert (np.abs(values) <= 1).all()
    assert (np.diag(values) == 1).all()


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "Task 'B' has no tokens: all its training texts are empty."),
        (
            {1: 2, 4: 1},
            "Task 'B' has the token 4, but there are vectors for 4 tokens only: they belong",
        ),
        ({0: 3}, "Task 'B': the vectors of all its tokens are zero."),
    ],
)
def test_what_has_no_mean(counts: dict[int, int], message: str) -> None:
    with pytest.raises(RelevanceError) as raised:
        mean_vectors([{1: 1}, counts], DIRECTIONS, tasks=("A", "B"))
    assert str(raised.value).startswith(message)


def test_the_rows_that_training_draws_count(tmp_path: Path) -> None:
    task = write_task(tmp_path, "MIXED", *["east"] * 10, *["north up"] * 10)
    options = DataOptions(max_train=7)
    matrix = TokenEmbedding(compass, options).measure([task])
    (drawn,) = load_task(task, options).train.texts
    assert matrix.provenance["rows"] == {"MIXED": 7}
    assert matrix.provenance["tokens"] == {"MIXED": sum(len(text.split()) for text in drawn)}


def test_it_needs_token_vectors() -> None:
    kind = measures.find("token-embedding")
    with pytest.raises(RelevanceError) as raised:
        kind.build(Inputs())
    assert str(raised.value) == (
        "Measure 'token-embedding' needs token vectors. `relevance estimate` brings those of"
        " `backbone`; from Python, hand some in as measure(..., token_vectors=...)."
    )
    assert isinstance(kind.build(Inputs(token_vectors=compass)), TokenEmbedding)


@pytest.mark.skipif(find_spec(minilm.PACKAGE) is None, reason="the extra `demo` is not installed")
def test_real_tasks_by_a_model_that_is_not_loaded(data_dir: Path) -> None:
    names = ["RTE", "CB", "SST-2", "SST-5"]
    code = f"""if True:
        import sys
        from pathlib import Path
        from hmnet.backbones.token_vectors import read_token_vectors
        from relevance.measures.token_embedding import TokenEmbedding
        from relevance.tasks.data import DataOptions
        from relevance.tasks.find import find_tasks
        options = DataOptions(Path({str(data_dir)!r}), max_train=500)
        measure = TokenEmbedding(lambda: read_token_vectors("minilm"), options)
        matrix = measure.measure(find_tasks({names}))
        assert not {{"torch", "transformers", "sklearn", "pandas"}} & set(sys.modules)
        print(matrix.values.tolist())
    """
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    values = np.array(json.loads(shown.stdout))
    np.fill_diagonal(values, 0)
    assert values[2].argmax() == 3  # both are sentences of film reviews
    assert values[3].argmax() == 2
