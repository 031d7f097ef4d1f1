"""`relevance cluster`: methods, the choice of k, stability, figures, and what is refused."""

import json
from pathlib import Path

import pytest

from commands import done, refused
from relevance.clustering.spec import ClusterSpec
from relevance.registry import members_of

HELP = " See `relevance cluster --help`."


def test_stability_is_told_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    lines = done("relevance", "cluster", "paper:table3", "--k", 3, "--out", out).out.splitlines()
    assert lines[:3] == [
        "0: MNLI, SNLI, STS-B, MultiRC",
        "1: QNLI, IMDB, SST-2, MRPC, BoolQ",
        "2: RTE, WNLI, CB, QQP",
    ]
    assert lines[3:6] == [
        "inertia: 0.1888",
        "deciding columns: WNLI, CB carry 95 % of the variance; removing WNLI changes the groups",
        (
            "stability: unknown, as nothing here tells noise from what tasks do to each other;"
            " sensitivity: 0.91 with one task left out"
        ),
    ]
    assert lines[6] == "| group | task    | within (%) | from others (%) |"
    assert lines[24:] == [
        "mean gain within groups +1.07 %, across groups +5.48 %; training alone is 0",
        "tasks gain more from other groups than from their own",
        (
            "alone is better than its group for MNLI (-0.23 %), STS-B (-0.50 %), QNLI (-0.09 %),"
            " IMDB (-1.10 %), SST-2 (-0.43 %), MRPC (-0.78 %) and QQP (-0.01 %)"
        ),
        (
            "in one group but harm each other: MNLI & STS-B (-0.12 %, -0.96 %), QNLI & SST-2"
            " (-0.02 %, -0.62 %) and IMDB & SST-2 (-4.24 %, -0.74 %)"
        ),
    ]
    assert json.loads(out.read_text())["provenance"]["gains"]["within"] == pytest.approx(
        0.0107, abs=5e-5
    )
    known = json.loads(out.read_text())["stability"]
    assert known["adjusted_rand"] is None
    assert known["sensitivity"] == pytest.approx(0.91, abs=0.005)
    assert len(known["consensus"]) == len(known["tasks"]) == 13
    assert ClusterSpec.load(out).stability is not None


def test_k_is_chosen_and_drawn(tmp_path: Path) -> None:
    out, curve, shares = (tmp_path / name for name in ("out.json", "curve.pdf", "shares.png"))
    options = ["--k", "auto", "--max-k", 4, "--curve", curve, "--consensus", shares, "--out", out]
    outcome = done("relevance", "cluster", "paper:table2", *options)
    assert outcome.out.startswith("|    k | silhouette | stability | mean |\n")
    words = "k = 2: largest silhouette (0.59) among k = 2 to 4\n0: MNLI, "
    assert words in outcome.out
    assert outcome.err == f"wrote {shares}\nwrote {curve}\n"
    assert curve.read_bytes().startswith(b"%PDF")
    assert shares.read_bytes().startswith(b"\x89PNG")
    chosen = ClusterSpec.load(out)
    assert len(chosen.clusters) == chosen.k == 2
    assert [row["k"] for row in chosen.provenance["choice_of_k"]["candidates"]] == [2, 3, 4]


def test_a_dendrogram(tmp_path: Path) -> None:
    options = ["--method", "agglomerative", "--linkage", "average", "--k", 3]
    figure = tmp_path / "tree.svg"
    outcome = done("relevance", "cluster", "paper:table3", *options, "--dendrogram", figure)
    assert json.loads(outcome.out)["provenance"]["linkage"] == "average"
    assert "average distance of merged groups" in figure.read_text()
    assert "inertia" not in outcome.err
    assert "deciding columns" not in outcome.err


def test_overlapping_groups_are_told_and_can_be_trained(tmp_path: Path) -> None:
    options = ["--method", "predicted-gain", "--overlap", "--k", 2]
    rows = "task,A,B,C\nA,0,0.3,0.2\nB,0.1,0,-0.5\nC,0.2,-0.1,0\n"
    (tmp_path / "gains.csv").write_text(rows)
    outcome = done("relevance", "cluster", tmp_path / "gains.csv", *options)
    assert outcome.err.splitlines()[:6] == [
        "0: A, C",
        "1: B",
        (
            "predicted gain: 23.33 %, mean over tasks; no choice of overlapping groups with at most"
            " 2 has more"
        ),
        (
            "predicted for a task: the mean of what each other member of its group gives it in a"
            " pair; 0 alone"
        ),
        "trained for 0: A, C",
        "trained for 1: A, B",
    ]
    assert json.loads(outcome.out)["clusters"] == [["A", "C"], ["B"]]
    assert json.loads(outcome.out)["provenance"]["trained"] == [["A", "C"], ["A", "B"]]


def test_one_group_has_no_stability() -> None:
    outcome = done("relevance", "cluster", "paper:table3", "--k", 1, "--method", "spectral")
    assert "stability" not in outcome.err
    assert json.loads(outcome.out)["stability"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "--k 0 --method spectral",
            "k must be between 1 and 13, the number of tasks, got 0.",
        ),
        *(
            (
                f"--k {k}",
                f"Invalid value for '--k': '{k}' is neither a whole number nor auto.{HELP}",
            )
            for k in ("3.0", "1e1", "1_0", "True", "\u0663", "9" * 1001)
        ),
        ("--k 3 --max-k 1_0", "Invalid value for '--max-k': '1_0' is no whole number." + HELP),
        ("--k 3 --seed 3.0", "Invalid value for '--seed': '3.0' is no whole number." + HELP),
        (
            "--k 2.5",
            (
                "Invalid value for '--k': '2.5' is neither a whole number nor auto. See"
                " `relevance cluster --help`."
            ),
        ),
        (
            "--k 3 --method kmedoids",
            (
                "Unknown method 'kmedoids'. Did you mean 'kmeans'?"
                f" Known: {', '.join(members_of('relevance.clustering.methods'))}."
            ),
        ),
        ("--method spectral", "--method spectral needs --k N, or --k auto to choose one."),
        (
            "",
            (
                "paper:table3 names no families, so --k N must say how many clusters are wanted, or"
                " --k auto choose."
            ),
        ),
        (
            "--k 3 --overlap",
            "Method 'kmeans' takes no --overlap; it goes with --method predicted-gain.",
        ),
        (
            "--k 3 --method spectral --linkage ward",
            "Method 'spectral' takes no --linkage; it goes with --method agglomerative.",
        ),
        ("--k 3 --max-k 5", "--max-k goes with --k auto."),
        ("--k 3 --curve a.pdf", "--curve goes with --k auto."),
        ("--k 3 --dendrogram a.pdf", "--dendrogram goes with --method agglomerative."),
        ("--k 3 --consensus a.gif", "a.gif: a figure's name must end in one of .pdf, .svg, .png."),
        (
            "--k 13 --consensus /dev/shm/a.pdf",
            (
                "These groups come without a consensus of resamples. One group, or one task in"
                " each, has none; `relevance cluster` measures it for others."
            ),
        ),
    ],
)
def test_what_cannot_be_done(options: str, message: str) -> None:
    assert refused("relevance", "cluster", "paper:table3", *options.split()) == message


def test_choosing_takes_three_tasks(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(",A,B\nA,0,0.2\nB,0.1,0\n")
    assert refused("relevance", "cluster", tmp_path / "m.csv", "--k", "auto").startswith(
        "--k auto tries 2 to T - 1 clusters of T tasks, so it takes at least 3; the matrix has 2."
    )


def test_a_taxonomy_has_no_consensus(tmp_path: Path) -> None:
    done("relevance", "taxonomy", "--tasks", "RTE,CB,SST-2", "--out", tmp_path / "t.json")
    options = ["cluster", tmp_path / "t.json", "--consensus", tmp_path / "a.pdf"]
    assert "These groups come without a consensus" in refused("relevance", *options)


def test_figures_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    figure = tmp_path / "file" / "a.pdf"
    options = ["--k", 3, "--consensus", figure]
    assert refused("relevance", "cluster", "paper:table3", *options) == (
        f"{figure} cannot be written: Not a directory."
    )


def test_trained_groups_change_what_is_predicted(tmp_path: Path) -> None:
    rows = "task,A,B,C\nA,0,-0.1,-0.1\nB,-0.1,0,-0.1\nC,-0.1,-0.1,0\n"
    (tmp_path / "gains.csv").write_text(rows)
    groups = ["group,task,gain", *(f"A & B & C,{task},0.2" for task in "ABC")]
    (tmp_path / "groups.csv").write_text("\n".join(groups))
    command = ["relevance", "cluster", tmp_path / "gains.csv", "--k", 3]
    command += ["--method", "predicted-gain"]
    alone = done(*command)
    assert json.loads(alone.out)["clusters"] == [["A"], ["B"], ["C"]]
    together = done(*command, "--subsets", tmp_path / "groups.csv")
    assert json.loads(together.out)["clusters"] == [["A", "B", "C"]]
    assert "all pairs and 1 trained group(s)" in together.err
    (tmp_path / "groups.csv").write_text("group,task,gain\nA & D,A,0.2\n")
    line = refused(*command, "--subsets", tmp_path / "groups.csv")
    assert "line 2: Unknown task 'D'" in line
