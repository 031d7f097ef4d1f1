"""CA-MTL: one encoder, and small modules through which the embedding of each task bends it."""

from typing import Literal, cast

import torch
from torch import nn
from transformers.activations import ACT2FN

from hmnet.backbones.graft import graft
from hmnet.inserts._conditional import (
    BottleneckNorm,
    BottleneckSkip,
    ConditionalAlignment,
    ConditionalAttention,
    ConditionalBottleneck,
    ConditionalNorm,
    ForTask,
    Variant,
)
from hmnet.inserts.insert import ATTENTION, NORMS, AdapterModule, Host, module_key
from hmnet.randomness import seeded
from relevance.errors import RelevanceError

Switch = Literal["on", "off"]


class ConditionalModules(AdapterModule):
    """An embedding z of every task and, shared by all tasks, the modules that it modulates.

    Args:
        host: Encoder and tasks; its length is L.
        variant: `paper`, or `released` for the published code.
        attention: Whether every layer's scores have a bias, in d // L `blocks` or a `full-block`.
        attention_start: `zero` for A_n that leave the pretrained attention as it is; `random` as
            the thesis says it, normal with the backbone's deviation, so that the exact start is
            lost.
        alignment: Whether z modulates what the embeddings give.
        norm: Whether it modulates the norms of the upper half of the layers.
        bottleneck: Whether there is one in the top layer or, by the wiring, beside each layer.
        wiring: `base` for the former, `large` for the latter.

    Attributes:
        shared: True.
        embeddings: z by task, with `/` for `.` in the name.
        layers: For each depth the modules of that layer.

    Raises:
        RelevanceError: If nothing is on, there is a wiring for no bottlenecks or a start for no
            attention, the backbone's
            layers are built in another way than BERT's, or d // L is below 2 where attention has
            blocks.

    Source:
        El Hattami (2021), chapter 3; Pilault et al. (2021), "Conditionally Adaptive Multi-Task
        Learning".
    """

    shared = True

    def __init__(
        self,
        host: Host,
        *,
        variant: Variant = "paper",
        attention: Literal["blocks", "full-block", "off"] = "blocks",
        attention_start: Literal["zero", "random"] = "zero",
        alignment: Switch = "on",
        norm: Switch = "on",
        bottleneck: Switch = "on",
        wiring: Literal["base", "large"] = "base",
    ) -> None:
        super().__init__(host)
        if {attention, alignment, norm, bottleneck} == {"off"}:
            raise RelevanceError(
                "Method 'camtl' with everything off is hard sharing. Leave something on, or take"
                ' `method="multi"`.'
            )
        if wiring == "large" and bottleneck == "off":
            raise RelevanceError(
                "Method 'camtl' with wiring=large puts its bottlenecks beside the layers, and"
                " bottleneck=off leaves none. Leave one of the two out."
            )
        if attention_start == "random" and attention == "off":
            raise RelevanceError(
                "Method 'camtl' with attention_start=random draws what attention=off leaves out."
                " Leave one of the two out."
            )
        backbone, seed = host.backbone, host.seed
        config, top = backbone.config, backbone.depth - 1
        width, deviation = config.hidden_size, config.initializer_range

        def make_parts(depth: int) -> nn.ModuleDict:
            parts = nn.ModuleDict()
            if alignment == "on" and depth == 0:
                parts["alignment"] = ConditionalAlignment(width, variant=variant)
            if attention != "off":
                with seeded(seed, f"attention.{depth}"):
                    parts["attention"] = ConditionalAttention(
                        width,
                        host.max_length,
                        variant=variant,
                        full_block=attention == "full-block",
                        deviation=deviation if attention_start == "random" else 0.0,
                    )
            if norm == "on" and depth > top - backbone.depth // 2:
                parts["norms"] = nn.ModuleList(
                    ConditionalNorm(width, variant=variant) for _ in NORMS
                )
            if bottleneck == "on" and (wiring == "large" or depth == top):
                with seeded(seed, f"bottleneck.{depth}"):
                    maps = ConditionalBottleneck(
                        width,
                        variant=variant,
                        activation=ACT2FN[config.hidden_act],
                        deviation=deviation,
                    )
                if wiring == "large":
                    parts["skip"] = BottleneckSkip(maps, last=depth == top)
                else:
                    parts["bottleneck"] = BottleneckNorm(maps)
            return parts

        self.layers = nn.ModuleList(map(make_parts, range(backbone.depth)))
        self.embeddings = nn.ParameterDict()
        for task in host.tasks:
            with seeded(seed, f"{task}.embedding"):
                self.embeddings[module_key(task)] = nn.init.normal_(
                    torch.empty(width), std=deviation
                )

    def view(self, task: str, depth: int, layer: nn.Module) -> nn.Module:
        """The layer with its conditional modules, bound to the task's z."""
        z = self.embeddings[module_key(task)]
        parts = cast("nn.ModuleDict", self.layers[depth])
        bound: dict[str, nn.Module | None] = {}

        def bind(place: str, module: nn.Module) -> None:
            bound[place] = ForTask(module, z, bound.get(place) or layer.get_submodule(place))

        if "attention" in parts:
            bind(ATTENTION, parts["attention"])
        if "norms" in parts:
            for place, norm in zip(NORMS, parts["norms"].children(), strict=True):
                bind(place, norm)
        if "bottleneck" in parts:
            bind(NORMS[-1], parts["bottleneck"])
        view = graft(layer, bound)
        for around in ("alignment", "skip"):
            if around in parts:
                view = ForTask(parts[around], z, view)
        return view

    def embedding(self, task: str) -> nn.Parameter:
        """The task's z, `[width]`."""
        embedding: nn.Parameter = self.embeddings[module_key(task)]
        return embedding
