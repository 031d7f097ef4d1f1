"""The matrix survives its files, and a file that is none is told apart in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.matrices.merge import merge_matrices

VALUES = st.floats(-10, 10) | st.just(float("nan"))


@st.composite
def matrices(draw: st.DrawFn) -> RelevanceMatrix:
    names = st.text("ABCab-12 ", min_size=1).map(str.strip).filter(bool)
    tasks = draw(st.lists(names, min_size=1, unique=True))
    shape = (len(tasks), len(tasks))
    seeds = draw(st.integers(1, 2))
    return RelevanceMatrix(
        draw(arrays(np.float64, shape, elements=VALUES)),
        tuple(tasks),
        "joint-training",
        seeds=tuple(range(seeds)),
        per_seed=draw(st.none() | arrays(np.float64, (seeds, *shape), elements=VALUES)),
        single=draw(st.none() | st.just({"gain": np.zeros((3, len(tasks))).tolist()})),
        joint=draw(st.none() | st.just({"loss": np.ones((seeds, *shape)).tolist()})),
        cost={"seconds": 1.5},
    )


@given(matrix=matrices())
def test_json_round_trip(matrix: RelevanceMatrix, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("matrix") / "m.json"
    matrix.save(path)
    assert load_matrix(path) == matrix


@given(matrix=matrices())
def test_csv_round_trip_keeps_the_values(
    matrix: RelevanceMatrix, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("matrix") / "m.csv"
    matrix.save(path)
    loaded = load_matrix(path)
    np.testing.assert_array_equal(loaded.values, matrix.values)
    assert loaded.tasks == matrix.tasks


def test_file_is_strict_json_with_null_for_unknown(tmp_path: Path) -> None:
    RelevanceMatrix(np.array([[0, np.nan], [1, 0]]), ("A", "B"), "m").save(tmp_path / "m.json")
    content = json.loads((tmp_path / "m.json").read_text(), parse_constant=pytest.fail)
    assert content["schema"] == "relevance.matrix/1"
    assert content["values"] == [[0.0, None], [1.0, 0.0]]


def test_select_picks_rows_columns_and_scores() -> None:
    values = np.arange(9.0).reshape(3, 3)
    matrix = RelevanceMatrix(
        values,
        ("A", "B", "C"),
        "joint-training",
        per_seed=values[None],
        single={"gain": [[1, 2, 3]]},
        joint={"gain": [values.tolist()]},
        majority={"gain": [7, 8, None]},
    )
    picked = matrix.select(["C", "A"])
    assert picked.values.tolist() == [[8, 6], [2, 0]]
    assert picked.per_seed is not None
    assert picked.per_seed.tolist() == [[[8, 6], [2, 0]]]
    assert picked.single == {"gain": [[3, 1]]}
    assert picked.joint == {"gain": [[[8, 6], [2, 0]]]}
    assert picked.majority == {"gain": [None, 7]}


@pytest.mark.parametrize("number", [2, 3])
def test_published_tables_ship_inside_the_package(number: int, paper_dir: Path) -> None:
    matrix = load_matrix(f"paper:table{number}")
    (published,) = paper_dir.glob(f"table{number}_*.csv")
    assert matrix == load_matrix(published) or np.array_equal(
        matrix.values, load_matrix(published).values
    )
    frame = matrix.to_frame()
    assert frame.index.name == "source"
    assert frame.loc["MNLI", "RTE"] == {2: 0.9764, 3: 0.1596}[number]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "task,A,B\nA,1,2\nB,x,1\n", "row 'B', column 'A': 'x' is no number."),
        ("m.csv", "task,A,B\nB,1,2\nA,2,1\n", "the first column must name the tasks"),
        ("m.csv", "task,A,B\nA,1\nB,1,2\n", "row 'A' has 1 values, the header 2."),
        ("m.csv", "task,A,A\nA,1,1\nA,1,1\n", "'A' is named twice."),
        ("m.json", "{", "is not valid JSON"),
        ("m.json", '{"schema": "relevance.matrix/2"}', "newer than this version reads"),
        ("m.json", '{"schema": "relevance.clusters/1"}', "expected 'relevance.matrix/1'"),
        ("m.json", '{"tasks": ["A"], "values": [[0]]}', "field 'measure' is missing."),
        (
            "m.json",
            '{"tasks": ["A"], "values": [[0]], "measure": "m", "mesure": 1}',
            "Did you mean 'measure'?",
        ),
        ("m.json", '{"tasks": ["A", "B"], "values": [[0]], "measure": "m"}', "must be 2 x 2"),
        ("m.json", '{"tasks": ["A"], "values": [["x"]], "measure": "m"}', "'x' is no number."),
    ],
)
def test_what_is_no_matrix_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RelevanceError, match=r"m\.(csv|json)") as caught:
        load_matrix(tmp_path / name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_merged_matrix_of_csv_files_holds_the_cells_of_both(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("task,A,B\nA,0,0.1\nB,0.2,0\n")
    (tmp_path / "b.csv").write_text("task,A,C\nA,0,0.3\nC,0.4,0\n")
    merged = merge_matrices([load_matrix(tmp_path / "a.csv"), load_matrix(tmp_path / "b.csv")])
    np.testing.assert_array_equal(
        merged.values, [[0, 0.1, 0.3], [0.2, 0, np.nan], [0.4, np.nan, 0]]
    )
    with_seeds = RelevanceMatrix(np.zeros((1, 1)), ("A",), "a", seeds=(0,))
    with pytest.raises(RelevanceError, match=r"matrix 1 is CSV, which has values alone"):
        merge_matrices([load_matrix(tmp_path / "a.csv"), with_seeds])


def test_infinity_is_no_value() -> None:
    with pytest.raises(RelevanceError, match="got infinity"):
        RelevanceMatrix(np.full((1, 1), np.inf), ("A",), "m")


def test_unknown_published_table_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match="Did you mean 'table2'"):
        load_matrix("paper:table22")
    with pytest.raises(RelevanceError, match="no such file"):
        load_matrix(tmp_path / "none.json")


def test_a_unit_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """It would be printed as if it were a ratio, which makes 10 percent 1,000."""
    path = tmp_path / "m.json"
    path.write_text(
        '{"measure": "own", "unit": "percent", "tasks": ["A", "B"], "values": [[0, 10], [5, 0]]}'
    )
    with pytest.raises(RelevanceError, match=r"m\.json: Unknown unit 'percent'.*points, ratio"):
        load_matrix(path)
