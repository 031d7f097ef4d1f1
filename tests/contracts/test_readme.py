"""The README's Python runs as it stands, and its paths and commands exist."""

import re
from pathlib import Path

import matplotlib.axes
import pytest
from transformers import AutoModelForSequenceClassification
from typer.main import get_command

import cli.hmnet
import cli.relevance
import hmnet
import relevance
from hmnet.models.multitask import MultiTaskModel

REPO = Path(__file__).resolve().parents[2]
README = (REPO / "README.md").read_text(encoding="utf-8")

INLINE = re.compile(r"`(?=[^`\n]*\b(?:relevance|hmnet)\.\w+)([^`\n]+)`")

TASK = """
[[task]]
name = "{name}"
family = "sentiment_classification"
kind = "classification"
text = ["sentence"]
labels = ["negative", "positive"]
metrics = ["accuracy", "f1"]
source = {{ train = "{name}.csv", dev = "{name}.csv" }}
"""


def test_python_example_runs(
    tmp_path: Path,
    tiny_bert: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("REVIEWS", "COMMENTS")
    Path("my_tasks.toml").write_text("".join(TASK.format(name=name) for name in names))
    for name in names:
        rows = [f"{name} {word} thing,{word}" for word in ("positive", "negative") * 4]
        Path(f"{name}.csv").write_text("\n".join(["sentence,label", *rows]))
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    example = example.replace('"minilm"', repr(str(tiny_bert))).replace(
        "epochs=1", "epochs=1, max_length=16"
    )
    namespace: dict[str, object] = {}
    exec(example, namespace)  # noqa: S102  what the README tells people to run
    assert isinstance(namespace["axes"], matplotlib.axes.Axes)
    assert isinstance(namespace["model"], MultiTaskModel)
    assert AutoModelForSequenceClassification.from_pretrained("reviews-model").num_labels == 2
    out = capsys.readouterr().out
    assert out.count("'task': 'REVIEWS', 'label': ") == 2
    assert out.count("REVIEWS dev accuracy") == 1
    assert re.search(r"^REVIEWS dev accuracy [\d.]+ majority class: 0\.5$", out, re.MULTILINE)


def test_python_uses_public_names_only() -> None:
    code = "\n".join(
        [*re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL), *INLINE.findall(README)]
    )
    used = set(re.findall(r"\b(relevance|hmnet)\.(\w+)", code))
    assert ("relevance", "measure") in used
    assert ("hmnet", "make_trainer") in used
    public = {"relevance": relevance.__all__, "hmnet": hmnet.__all__}
    assert [f"{package}.{name}" for package, name in used if name not in public[package]] == []
    assert not re.findall(r"^from (?:relevance|hmnet)", code, flags=re.MULTILINE)


def test_paths_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    folders = re.findall(r"^\| `([\w/.]+)`", README, flags=re.MULTILINE)
    assert links
    assert folders
    assert [path for path in [*links, *folders] if not (REPO / path).exists()] == []


@pytest.mark.parametrize("name", ["relevance", "hmnet"])
def test_commands_and_options_exist(name: str) -> None:
    app = get_command({"relevance": cli.relevance.app, "hmnet": cli.hmnet.app}[name])
    used = re.findall(rf"^{name} ([\w-]+)(.*)$", README, flags=re.MULTILINE)
    assert used
    for command, rest in used:
        known = {option for p in app.commands[command].params for option in p.opts}
        assert set(re.findall(r"--[\w-]+", rest.partition("#")[0])) <= known, (command, rest)
