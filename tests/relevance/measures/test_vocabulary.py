import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.matrices.matrix import load_matrix
from relevance.measures.measure import Inputs, measures
from relevance.measures.vocabulary import Vocabulary, task_vocabulary, vocabulary_overlap
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.task import Task
from relevance.text import minilm
from relevance.text.tokenizers import WordTokenizer, load_tokenizer
from toys import toy

COMPLETE = ("RTE", "WNLI", "CB", "IMDB", "SST-2", "STS-B", "MRPC", "MultiRC")


def task(name: str, *columns: str, group: tuple[str, ...] = ()) -> Task:
    return toy(name, text=columns, group=group)


def write(folder: Path, toy: Task, **columns: list[str] | list[int]) -> None:
    (folder / toy.slug).mkdir()
    rows = len(next(iter(columns.values())))
    table = pa.table({**columns, "label": [0] * rows})
    for split in ("train", "dev"):
        pq.write_table(table, folder / toy.slug / f"{split}.parquet")


VOCABULARIES = st.lists(st.frozensets(st.integers(0, 40), min_size=1), min_size=1, max_size=6)


@given(VOCABULARIES)
def test_overlap_is_equation_2(vocabularies: list[frozenset[int]]) -> None:
    tasks = tuple(f"T{i}" for i in range(len(vocabularies)))
    expected = [
        [len(source & target) / len(target) for target in vocabularies] for source in vocabularies
    ]
    values = vocabulary_overlap(vocabularies, tasks=tasks)
    assert values.tolist() == expected
    assert np.diag(values).tolist() == [1.0] * len(tasks)


def test_rows_are_sources_and_columns_targets() -> None:
    small, large = frozenset({1, 2}), frozenset({1, 2, 3, 4})
    values = vocabulary_overlap([small, large], tasks=("small", "large"))
    assert values.tolist() == [[1.0, 0.5], [1.0, 1.0]]


def test_a_task_without_tokens_is_named() -> None:
    with pytest.raises(RelevanceError) as error:
        vocabulary_overlap([frozenset({1}), frozenset()], tasks=("A", "B"))
    assert str(error.value) == (
        "Task 'B' has no tokens: all its training texts are empty. Leave it out, or check its text"
        " columns."
    )


def test_hundreds_of_tasks_take_one_product() -> None:
    random = np.random.default_rng(0)
    vocabularies = [frozenset(random.integers(0, 30_000, 8_000).tolist()) for _ in range(200)]
    values = vocabulary_overlap(vocabularies, tasks=tuple(map(str, range(200))))
    for source, target in random.integers(0, 200, (20, 2)):
        shared = len(vocabularies[source] & vocabularies[target])
        assert values[source, target] == shared / len(vocabularies[target])


def test_all_text_columns_of_the_training_split_count(tmp_path: Path) -> None:
    pair, single = task("PAIR", "sentence1", "sentence2"), task("SINGLE", "sentence")
    write(tmp_path, pair, sentence1=["one", "one"], sentence2=["two", ""], other=["x", "y"])
    write(tmp_path, single, sentence=["Two three", "four"])
    matrix = Vocabulary(WordTokenizer(), DataOptions(tmp_path)).measure([pair, single])
    assert matrix.tasks == ("PAIR", "SINGLE")
    assert matrix.measure == "vocabulary"
    assert matrix.values.tolist() == [[1.0, 1 / 3], [0.5, 1.0]]
    assert matrix.cost["seconds"] > 0
    assert matrix.provenance == {
        "version": 1,
        "tokenizer": {"name": "word", "fingerprint": WordTokenizer().fingerprint},
        "max_train": None,
        "rows": {"PAIR": 2, "SINGLE": 2},
        "vocabulary": {"PAIR": 2, "SINGLE": 3},
    }
    matrix.save(tmp_path / "vocab.json")
    assert load_matrix(tmp_path / "vocab.json") == matrix


def test_a_subset_has_the_rows_that_training_draws(tmp_path: Path) -> None:
    toy = task("TOY", "sentence", group=("idx",))
    words = [f"w{row}" for row in range(60)]
    write(tmp_path, toy, sentence=words, idx=[row // 7 for row in range(60)])
    options = DataOptions(tmp_path, max_train=20)
    tokenizer = WordTokenizer()
    matrix = Vocabulary(tokenizer, options).measure([toy])
    assert matrix.provenance["rows"] == matrix.provenance["vocabulary"] == {"TOY": 20}
    # ids are given in order of first sight: the words that it knows already are 0 to 19
    (drawn,) = load_task(toy, options).train.texts
    assert tokenizer.token_ids(drawn) == frozenset(range(20))


def test_missing_training_data_names_the_task(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"'TOY'.* has no train\.parquet"):
        Vocabulary(WordTokenizer(), DataOptions(tmp_path)).measure([task("TOY", "sentence")])


def test_it_is_found_by_name_and_built_from_inputs(tmp_path: Path) -> None:
    inputs = Inputs(data=DataOptions(tmp_path), tokenizer="word")
    measure = measures.find("vocabulary").build(inputs)
    assert isinstance(measure, Vocabulary)
    assert measure.data.data_dir == tmp_path
    assert measure.tokenizer.name == "word"


def test_an_unknown_measure_gets_a_hint() -> None:
    with pytest.raises(
        RelevanceError, match=r"^Unknown measure 'vocab-overlp'\. Did you mean 'vocabulary'\?"
    ):
        measures.find("vocab-overlp")


def test_measuring_imports_no_torch(tmp_path: Path) -> None:
    toy = task("TOY", "sentence")
    write(tmp_path, toy, sentence=["a word"])
    code = f"""if True:
        import sys
        from pathlib import Path
        from relevance.measures.measure import Inputs, measures
        from relevance.tasks.data import DataOptions
        from relevance.tasks.task import Task
        inputs = Inputs(DataOptions(Path({str(tmp_path)!r})), "word")
        toy = Task.model_validate_json({toy.model_dump_json()!r})
        measures.find("vocabulary").build(inputs).measure([toy])
        assert not {{"torch", "transformers", "sklearn", "pandas"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(find_spec(minilm.PACKAGE) is None, reason="the extra `demo` is not installed")
@pytest.mark.process
def test_the_eight_complete_tasks_give_table_2(data_dir: Path) -> None:
    inputs = Inputs(data=DataOptions(data_dir), tokenizer="minilm")
    ours = measures.find("vocabulary").build(inputs).measure(find_tasks(COMPLETE))
    paper = load_matrix("paper:table2").select(COMPLETE)
    points = 100 * np.abs(ours.off_diagonal() - paper.off_diagonal())
    assert len(points) == 56
    assert points.max() < 0.02
    assert np.diag(ours.values).tolist() == [1.0] * 8


@pytest.mark.skipif(find_spec(minilm.PACKAGE) is None, reason="the extra `demo` is not installed")
def test_real_texts_have_the_vocabulary_of_encoding_each_of_them(data_dir: Path) -> None:
    from relevance.text.tokenizer_files import read_tokenizer
    from relevance.text.tokenizers import load_tokenizer

    slow = read_tokenizer("minilm")
    slow.no_truncation()
    slow.no_padding()
    for found in find_tasks(["CB", "MRPC", "STS-B"]):
        texts = load_task(found, DataOptions(data_dir)).train.texts
        columns = [slow.encode_batch(list(column)) for column in texts]
        ids = {token for column in columns for row in column for token in row.ids}
        borders = {slow.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]")}
        assert task_vocabulary(texts, load_tokenizer("minilm")) == ids - borders


def test_a_tokenizer_that_knows_few_of_the_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\neast\nnorth\n")
    known, strange = task("KNOWN", "sentence"), task("STRANGE", "sentence")
    write(tmp_path, known, sentence=["east north", "north xyz", "east"])
    write(tmp_path, strange, sentence=["east xyz", "abc"])
    data = DataOptions(tmp_path)
    tokenizer = load_tokenizer(str(tmp_path / "vocab.txt"))
    assert Vocabulary(tokenizer, data).measure([known]).provenance["vocabulary"] == {"KNOWN": 3}
    with pytest.raises(RelevanceError) as error:
        Vocabulary(tokenizer, data).measure([known, strange])
    assert str(error.value).startswith(
        f"Task 'STRANGE': 67% of the tokens are unknown to tokenizer '{tmp_path}/vocab.txt', so"
    )
    assert Vocabulary(WordTokenizer(), data).measure([known, strange]).values[0, 1] == 2 / 3
