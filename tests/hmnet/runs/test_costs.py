"""Costs of runs against counts by hand: multiples of one encoder, and shares trained per task."""

from pathlib import Path
from typing import Any

import pytest

from hmnet.backbones.backbone import load_config
from hmnet.comparison.compare import compare
from hmnet.models.blueprint import Blueprint
from hmnet.runs.costs import Cost, cost_of
from hmnet.runs.folder import Run
from hmnet.runs.scores import Score
from hmnet.settings.config import RunConfig
from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from relevance.clustering.spec import ClusterSpec
from toys import toy

NAMES = ("A", "B", "C")
TASKS = tuple(map(toy, NAMES))
WIDTH, DEPTH = 16, 4
LAYER = 4 * (WIDTH + 1) * WIDTH + (WIDTH + 1) * 32 + (32 + 1) * WIDTH + 2 * 2 * WIDTH
GROUPED = hierarchical(ClusterSpec(clusters=(("A", "B"), ("C",))), 2, 1, 1)


class Planned(Run):
    """A run of which only the plan and the encoder are there."""

    plan: SharingPlan

    @property
    def blueprints(self) -> Any:
        return {self.folder: Blueprint(tasks=TASKS, plan=self.plan, pooling="native")}

    def additions(self) -> Any:
        return ()

    def timing(self) -> Any:
        return None


def cost(folder: Path, plan: SharingPlan, freeze: str) -> Cost:
    run = Planned(folder, RunConfig(tasks=NAMES, freeze=freeze))
    run.plan = plan
    return cost_of(run)


@pytest.mark.parametrize(
    ("plan", "freeze", "layers", "trained", "embeddings"),
    [
        (fully_shared(NAMES, DEPTH), "0", 4, 4, 1),
        (fully_shared(NAMES, DEPTH), "50%", 4, 2, 0),
        (separate(NAMES, DEPTH), "0", 12, 12, 3),
        (GROUPED, "0", 2 + 2 + 3, 7, 1),
        (GROUPED, "50%", 2 + 2 + 3, 5, 0),
        (fully_shared(NAMES, DEPTH), "all", 4, 0, 0),
    ],
)
def test_multiples_of_one_encoder_by_hand(
    tiny_bert: Path,
    plan: SharingPlan,
    freeze: str,
    layers: int,
    trained: int,
    embeddings: int,
) -> None:
    """`embeddings` is how many of them are trained; heads, poolers among them, count nowhere."""
    config: Any = load_config(str(tiny_bert))
    table = config.vocab_size + config.max_position_embeddings + config.type_vocab_size + 2
    embedding, one = WIDTH * table, WIDTH * table + DEPTH * LAYER
    found = cost(tiny_bert, plan, freeze)
    copies = 3 if layers == 12 else 1
    assert found.multiple == (copies * embedding + layers * LAYER) / one
    assert found.trained_share == pytest.approx(
        (embeddings * embedding + trained * LAYER) / one / 3
    )


def test_every_format_has_both() -> None:
    scores = [Score("a", "camtl", "RTE", "dev", "accuracy", 0, 0.5)]
    costs = {"a": [Cost(1e6, 1, 1, multiple=1.1234, trained_share=0.0561)]}
    compared = compare(scores, costs=costs)
    markdown, latex, html, numbers = map(compared.to_table, ("markdown", "latex", "html", "csv"))
    assert "| parameters overall          | × one encoder    | 1.12 |" in markdown  # noqa: RUF001
    assert "| parameters trained per task | % of one encoder |  5.6 |" in markdown
    assert r"parameters trained per task & \% of one encoder & 5.6 \\" in latex
    assert ">× one encoder</td>" in html  # noqa: RUF001
    assert ",1.1234\n" in numbers.replace("\r", "")
    assert ",5.61\n" in numbers.replace("\r", "")
