"""A look at what a backbone makes of two short texts, before anything is trained on it.

transformers has over a hundred families. What each does with padding, with the first token, with
a pooler that is not there or with lengths is nowhere written down, but it shows at once.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.folder import HEADS
from hmnet.data.batching import collate, input_form
from hmnet.data.encoder import Encoder
from hmnet.heads._choice import Pooling
from hmnet.heads.head import combining, find_head
from hmnet.kinds._reading import reading
from hmnet.kinds.kind import kind_of
from hmnet.kinds.span import NO_ANSWER, Span
from hmnet.models.build import ModelSettings
from hmnet.models.reading import reading_encoder
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from relevance.text.tokenizer_files import reason_of

SHORT, LONG = "a good film", "the dog runs in the city, and the woman plays a very bad guitar"
PADDING = 1e-3  # what padding may change, as a share of what another text changes
ROUNDING = 2e-5  # of fp32, relative to the largest logit


def check_reading(
    backbone: Backbone,
    tokenizer: PreTrainedTokenizerBase,
    tasks: Sequence[Task],
    settings: ModelSettings,
) -> None:
    """Refuse a backbone whose answers cannot be right, with the setting that works if there is one.

    A short text is read alone and beside a longer one, by each head that the tasks have. The model
    must run, answer the same both times, and answer the longer text otherwise.

    Args:
        backbone: Backbone with its weights, on the CPU; it is not changed, and no random number is
            drawn.
        tokenizer: The backbone's.
        tasks: Tasks to train.
        settings: Heads, pooling, and most tokens of one input.

    Raises:
        RelevanceError: If the family has no such head, or the trial fails.
    """
    if settings.concat == "nsp" and backbone.next_sentence is None:
        raise RelevanceError(
            f"`concat=nsp` joins what the classifier of next sentences says, and the backbone has"
            f" none in {HEADS}. Give the whole folder that `hmnet pretrain` wrote, or `concat=cls`."
        )
    encoder = Encoder.of(tokenizer)
    head, pooling, max_length = settings.head, settings.pooling, settings.max_length
    forms = {(task.kind, task.parts, head.name(task.name, pooling)): task for task in tasks}
    for (_, _, name), task in forms.items():
        fault = _fault(backbone, encoder, task, pooling, name, max_length)
        if fault is None:
            continue
        advice = "Use a backbone that reads both ways and masks padding, such as BERT or RoBERTa."
        if pooling != "mean":
            other = name if "mean" in find_head(name, pooling).poolings else "linear"
            if _fault(backbone, encoder, task, "mean", other, max_length) is None:
                advice = 'Use `pooling="mean"`, or a backbone such as BERT or RoBERTa.'
        family = backbone.config.model_type
        raise RelevanceError(
            f"Task '{task.name}' cannot be learned by a backbone of the family '{family}' with"
            f" `pooling={pooling!r}`: {fault}. {advice}"
        )


def _fault(
    backbone: Backbone, encoder: Encoder, task: Task, pooling: Pooling, name: str, max_length: int
) -> str | None:
    """A fault in the answers of one head, None for none."""
    kind = kind_of(task)
    columns = [[LONG if part else SHORT] * 2 for part in range(task.parts - 1)]
    sequences = kind.encode([*columns, [SHORT, LONG]], encoder, max_length)
    if len(sequences) != 2:  # of windows; so short a length is for who knows what it does
        return None
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        made = find_head(name, pooling)(backbone, task, pooling)
        with torch.no_grad():
            for parameter in made.parameters():  # some heads begin at zero, and say nothing
                parameter.add_(torch.randn_like(parameter), alpha=0.05)
            path = combining(made.path(_encoder(backbone, task)), kind).eval()
            form = input_form(backbone.config, apart=made.apart, further=kind.further)
            try:
                (alone,) = path(**collate(sequences, np.array([0]), **form))
                both = path(**collate(sequences, np.array([0, 1]), **form))
            except Exception as error:  # whatever a family raises for inputs that it does not take
                return f"its model fails on plain text ({reason_of(error)})"
    axis = kind.token_axis  # the logits of the first tokens, as many as the short text has
    short, long = both if axis is None else (b.narrow(axis, 0, alone.shape[axis]) for b in both)
    scale = max(1.0, float(alone.abs().max()))
    if not bool(torch.isfinite(both).all()):
        return "its logits are not finite"
    # what decides: the first token of a window, whether it holds an answer; else every logit
    effect = (short - long)[NO_ANSWER if isinstance(kind, Span) else ...].abs().max().item()
    if effect <= ROUNDING * scale / 10:
        return "what decides there reads nothing but the first token, so that all texts are alike"
    if (alone - short).abs().max().item() > PADDING * effect + ROUNDING * scale:
        return "its answer to a text depends on the padding that a longer text beside it brings"
    return None


def _encoder(backbone: Backbone, task: Task) -> PreTrainedModel:
    """A view of the backbone up to the layer that the task's head reads."""
    read = reading(backbone.config, task)
    layers = list(backbone.base.get_submodule(backbone.layer_list).children())[: read.depth]
    base = backbone.without_pooler()
    return reading_encoder(base, backbone.layer_list, nn.ModuleList(layers), read)
