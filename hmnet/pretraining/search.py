"""Search for the layer that an objective should read: one pre-training for each inner layer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hmnet.backbones.backbone import depth_of, load_config
from hmnet.pretraining.job import Job
from hmnet.pretraining.run import CONFIG, SETTINGS, Result, check_pretraining, pretrain
from hmnet.pretraining.settings import OFF, PretrainingConfig
from hmnet.runs.train import OnEvent
from relevance.disk.files import write_json
from relevance.errors import RelevanceError, unknown_name
from relevance.jobs.telling import duration

SCHEMA, FILE = "hmnet.layer_search/1", "search.json"
Searched = Literal["nsp-layer", "mlm-layer"]
SUM = "loss"
OF_SUM = ("mlm_loss", "nsp_loss")


@dataclass(frozen=True)
class LayerSearch:
    """The pre-trainings of a search.

    Attributes:
        what: The layer that is searched for.
        by: Score on dev that decides: `loss`, the sum of the losses of masked tokens and next
            sentences, as far as there are both, or one score alone, such as `nsp_accuracy`.
        out: The search's folder.
        runs: Settings by layer, the lowest first, their precision resolved.
    """

    what: Searched
    by: str
    out: Path
    runs: Mapping[int, PretrainingConfig]

    def folder(self, layer: int) -> Path:
        """The folder of a layer's pre-training, a backbone once it is finished."""
        return self.out / f"layer-{layer}"


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        search: The search.
        scores: The last scores on dev, by layer.
    """

    search: LayerSearch
    scores: Mapping[int, Mapping[str, float]]

    def value(self, layer: int) -> float:
        """What decides: the score of a layer, or the sum."""
        return _value(self.scores[layer], self.search.by)

    @property
    def best(self) -> int:
        """The layer with the lowest loss or the highest accuracy; of equal ones the lowest."""
        sign = -1 if self.search.by.endswith("_accuracy") else 1
        return min(self.scores, key=lambda layer: (sign * self.value(layer), layer))

    def table_rows(self) -> list[dict[str, Any]]:
        """One row per layer: its scores on dev, and what decides."""
        by = self.search.by
        return [{"layer": n, **own, by: self.value(n)} for n, own in self.scores.items()]

    @property
    def place(self) -> tuple[int, int]:
        """Row and column of the best layer's value in the table."""
        return [*self.scores].index(self.best), [*self.table_rows()[0]].index(self.search.by)


def plan_search(
    what: Searched, config: PretrainingConfig, out: Path, *, by: str = SUM
) -> LayerSearch:
    """Lay out the pre-trainings of a search and check each of them, before the first is begun.

    Args:
        what: The layer that is searched for.
        config: Settings of all, without that layer.
        out: Folder of the search; every layer has a folder below it, which may hold it already.
        by: Score on dev that decides, see `LayerSearch`.

    Returns:
        The search: every layer of the encoder but the top.

    Raises:
        RelevanceError: If the layer is given, nothing is held out, the score is none, the encoder
            has no inner layer, or a folder was begun with other settings.
    """
    field = what.replace("-", "_")
    if getattr(config, field) is not None:
        raise RelevanceError(
            f'`search="{what}"` tries every inner layer, so that `{field}={getattr(config, field)}`'
            " has no use. Leave one of the two out."
        )
    if not config.dev_share:
        raise RelevanceError(
            f'`search="{what}"` goes by scores on dev, and `dev_share=0` holds nothing out. Give a'
            " share."
        )
    if by not in (known := _scores_of(config)):
        raise unknown_name("score", by, known)
    if (out / SETTINGS).exists():
        raise RelevanceError(f"{out} is a pre-training, not a search. Give another `out`.")
    depth = depth_of(load_config(config.backbone))
    if depth < 2:
        raise RelevanceError(
            f'`search="{what}"` tries inner layers, and the backbone has {depth} layer(s). Give a'
            " deeper one."
        )
    search = LayerSearch(what, by, out, {})
    runs = {}
    for layer in range(1, depth):
        chosen = config.model_dump(exclude_unset=True) | {
            field: str(layer) if field == "nsp_layer" else layer
        }
        own = PretrainingConfig.model_validate(chosen)
        runs[layer] = check_pretraining(own, search.folder(layer), resume=True)
    return LayerSearch(what, by, out, runs)


def run_search(
    search: LayerSearch,
    watch: Callable[[Path], AbstractContextManager[OnEvent]] = lambda _: nullcontext(
        lambda _: None
    ),
) -> Found:
    """Pre-train for the layers that are not finished, each on from where a kill left it.

    Args:
        search: The search.
        watch: Opens what is told about every step of the pre-training in a folder.

    Returns:
        Scores of all layers, which stand in `search.json` as well.

    Raises:
        RelevanceError: As `pretrain`.
    """
    scores = {}
    for layer, config in search.runs.items():
        folder = search.folder(layer)
        with watch(folder) as on_event:
            result: Result = pretrain(config, folder, resume=True, on_event=on_event)
        scores[layer] = result.dev
    found = Found(search, scores)
    content = {
        "search": search.what,
        "by": search.by,
        "best": found.best,
        "layers": [{"layer": layer, "scores": own} for layer, own in scores.items()],
    }
    write_json(search.out / FILE, SCHEMA, content)
    return found


def describe_search(search: LayerSearch) -> Iterator[str]:
    """What a search would do, in lines; the corpus is encoded and a few steps are timed for each.

    A pre-training that was begun and not finished is counted in full.

    Args:
        search: The search.

    Yields:
        A line for each layer, and one for all together.

    Raises:
        RelevanceError: As `pretrain` does before the first step.
    """
    total, device = 0.0, ""
    for layer, config in search.runs.items():
        if (search.folder(layer) / CONFIG).is_file():
            yield f"layer {layer}  finished, in {search.folder(layer)}"
            continue
        job = Job.prepare(config)
        seconds, device = job.seconds(), f" on {job.source.device}"
        total += seconds
        levels = job.model.levels
        yield f"layer {layer}  runs {levels.highest} layers, about {duration(seconds)}"
    yield f"time     about {duration(total)}{device}, scores on dev left out"


def _scores_of(config: PretrainingConfig) -> tuple[str, ...]:
    objectives = ["mlm"]
    if config.nsp_layer != OFF:
        objectives.append("nsp")
    if config.bigram_layer is not None:
        objectives.append("bigram")
    return (SUM, *(f"{name}_{kind}" for name in objectives for kind in ("loss", "accuracy")))


def _value(scores: Mapping[str, float], by: str) -> float:
    return sum(scores[name] for name in OF_SUM if name in scores) if by == SUM else scores[by]
