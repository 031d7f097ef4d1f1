"""The next useful command, said at the end of each one on a terminal, with the user's own paths."""

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Params = Mapping[str, Any]
Step = Callable[[Params], str | None]

GROUPS, RUN = "out.json", "run/"
"""Names that the examples of the help have for what is made next."""


def words(*parts: object) -> str:
    """A command as a shell takes it; what stands in lists are several words.

    >>> words("relevance", "cluster", Path("my gains.json"), ["--k", "auto"])
    "relevance cluster 'my gains.json' --k auto"
    """
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    return shlex.join(map(str, flat))


def _same_with(option: str) -> str:
    return f"the same command with {option}"


def _on_tasks(params: Params) -> list[object]:
    """`--tasks` and `--data-dir` as they were given."""
    found: list[object] = []
    if tasks := params.get("tasks"):
        found += ["--tasks", ",".join(map(str, tasks if isinstance(tasks, list) else [tasks]))]
    if (folder := params.get("data_dir")) is not None:
        found += ["--data-dir", folder]
    return found


def _matrix(*options: str, file: str = "matrix.json") -> Step:
    """Group what was written, by `relevance cluster`; without a file, write one first."""

    def step(params: Params) -> str:
        if params.get("dry_run"):
            return "the same command without --dry-run"
        if params["out"] is None:
            return _same_with(f"--out {file}")
        return words("relevance", "cluster", params["out"], *options, "--out", GROUPS)

    return step


def _heatmap(params: Params) -> str | None:
    if params["clusters"] is None:
        return words("relevance", "cluster", params["matrix"], "--k", "auto", "--out", GROUPS)
    return words(
        *("relevance", "report", params["matrix"]),
        *("--clusters", params["clusters"], "--out", "report.html"),
    )


def _cluster(params: Params) -> str:
    if params["out"] is None:
        return _same_with(f"--out {GROUPS}")
    return words("hmnet", "train", "--clusters", params["out"], "--out", RUN)


def _check_groups(params: Params) -> str:
    if params.get("dry_run"):
        return "the same command without --dry-run"
    return words("hmnet", "train", "--clusters", params["clusters"][0], "--out", RUN)


def _train(params: Params) -> str:
    if params.get("dry_run"):
        return "the same command without --dry-run"
    if params.get("seeds"):
        return words("hmnet", "compare", params["out"])
    return words("hmnet", "predict", params["out"], "--task", "all", "--input", "FILE")


def _pretrain(params: Params) -> str | None:
    if params.get("dry_run"):
        return "the same command without --dry-run"
    if params.get("search"):  # which of the encoders is to be used is the user's to say
        return None
    return words("hmnet", "probe", params["out"], "--data", "DIR", "--out", "probed/")


def _probe(params: Params) -> str:
    if params.get("make"):
        return words("hmnet", "probe", "minilm", "--data", params["out"], "--out", "probed/")
    return words("hmnet", "compare", params["out"], "--layout", "aksoy-probing")


def _export(params: Params) -> str | None:
    if params["task"] and params["form"] == "checkpoint":
        which = ["--task", ",".join(params["task"])]
    elif params["every"] and params["form"] == "onnx":
        which = ["--all"]
    else:
        return None
    return words("hmnet", "push", params["folder"], *which, "me/my-model")


def _vocab_first(params: Params) -> str:
    return words("relevance", "vocab", _on_tasks(params), "--out", "vocab.json")


NEXT: dict[str, Step] = {
    "relevance tasks": lambda p: words(
        *("relevance", "prepare", _on_tasks(p) or ["--tasks", "RTE,CB"])
    ),
    "relevance prepare": _vocab_first,
    "relevance vocab": _matrix("--k", "auto", file="vocab.json"),
    "relevance taxonomy": _matrix(file="taxonomy.json"),
    "relevance estimate": _matrix("--k", "auto"),
    "relevance pairwise": _matrix("--k", "auto", file="gains.json"),
    "relevance merge": _matrix("--k", "auto", file="gains.json"),
    "relevance predict": _matrix("--k", "auto", file="expected.json"),
    "relevance import": _matrix("--k", "auto"),
    "relevance cluster": _cluster,
    "relevance check-groups": _check_groups,
    "relevance heatmap": _heatmap,
    "relevance bars": lambda p: words("relevance", "table", p["matrix"], "--out", "table.tex"),
    "relevance init": lambda p: (
        _same_with("--out tasks.toml")
        if p["out"] is None
        else words("relevance", "check", p["out"])
    ),
    "relevance check": lambda p: _vocab_first(
        {**p, "tasks": [*(p["names"] or ()), *(p["tasks"] or ())]}
    ),
    "relevance demo": lambda p: words(
        *("relevance", "report", Path(p["out"]) / "gains.json"),
        *("--clusters", Path(p["out"]) / "clusters.json", "--out", "report.html"),
    ),
    "hmnet train": _train,
    "hmnet add-task": lambda p: words(
        *("hmnet", "predict", p["out"], "--task", "all", "--input", "FILE")
    ),
    "hmnet evaluate": lambda p: words("hmnet", "compare", p["folder"]),
    "hmnet export": _export,
    "hmnet count": lambda p: words("hmnet", "train", _on_tasks(p), "--out", RUN),
    "hmnet pretrain": _pretrain,
    "hmnet probe": _probe,
}
"""What to do next, by command; None where that depends."""

ENDS = frozenset(
    {
        *("relevance table", "relevance compare", "relevance report"),
        *("hmnet predict", "hmnet push", "hmnet submit", "hmnet compare"),
        *("hmnet diagnose", "hmnet attention", "hmnet curves", "hmnet similarity", "hmnet sweep"),
    }
)
"""Commands whose result is what people came for, so that nothing has to follow."""


def say_next(command: str, params: Params, status: object) -> None:
    """Say the next command on stderr, where that is a terminal and the command has ended well.

    Args:
        command: Such as `relevance vocab`.
        params: Its options and arguments by name.
        status: What it returned: None or 0 where it ended well.
    """
    from hmnet.training.launch import is_main_process

    if status not in {None, 0} or params.get("quiet") or not sys.stderr.isatty():
        return
    step = NEXT.get(command)
    if step is not None and is_main_process() and (text := step(params)):
        from cli.output import note

        note(f"Next: {text}")
