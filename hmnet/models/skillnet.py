"""SkillNet-style layers: one feed-forward block per skill, of which each task activates a few."""

import copy
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from hmnet.backbones.graft import graft
from relevance.errors import RelevanceError

# Where families keep the feed-forward block, residual and LayerNorm left outside. In BERT's kin the
# second projection sits in a module that also adds the residual, so it is taken out of there.
FORMS = (("intermediate", "output.dense"), ("ffn",), ("mlp",))


class SkillMean(nn.Module):
    """The mean of what some blocks make of one input.

    It is kept running, `m += (block(x) - m) / k`: equal blocks then give exactly what one of them
    gives, which the sum of three divided by three does not.

    Args:
        blocks: Feed-forward blocks, at least one.
    """

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, hidden: Float[Tensor, "*token hidden"]) -> Float[Tensor, "*token hidden"]:
        """Mean over the blocks.

        Args:
            hidden: Output of the layer's attention.

        Returns:
            Hidden states that go on to dropout, residual and LayerNorm.
        """
        first, *others = self.blocks
        mean: Tensor = first(hidden)
        for number, block in enumerate(others, start=2):
            mean = mean.lerp(block(hidden), 1 / number)
        return mean


class SkillLayer(nn.Module):
    """A pretrained layer whose feed-forward block is there once for every skill.

    Attention, residuals and LayerNorms are shared by all tasks. The layer itself is never run: a
    path runs the view that `activating` gives it, by the forward of the backbone's own layer.

    Args:
        layer: The pretrained layer; it is taken apart.
        skills: Names of the skills; every block starts as a copy of the pretrained one.

    Raises:
        RelevanceError: If the layer keeps its feed-forward block in no place that is known.

    Source:
        Tang et al. (2022), "One Model, Multiple Tasks: Pathways for Natural Language
        Understanding", section 3; the output is the mean of the active skills' outputs.
    """

    def __init__(self, layer: nn.Module, skills: Sequence[str]) -> None:
        super().__init__()
        self._form = _form_of(layer)
        parts = [layer.get_submodule(name) for name in self._form]
        block = parts[0] if len(parts) == 1 else nn.Sequential(*parts)
        shared = {id(m.config): m.config for m in layer.modules() if hasattr(m, "config")}
        self.skills = tuple(skills)
        self.blocks = nn.ModuleList(copy.deepcopy(block, dict(shared)) for _ in skills)
        self.rest = graft(layer, dict.fromkeys(self._form))
        self._views: dict[tuple[str, ...], nn.Module] = {}

    def activating(self, skills: tuple[str, ...]) -> nn.Module:
        """The layer with some skills at work.

        Args:
            skills: Some of the names.

        Returns:
            A view of the pretrained layer; the same object for the same skills, so that tasks which
            activate the same ones can share its work.
        """
        if skills not in self._views:
            place, *emptied = self._form
            active = SkillMean([self.blocks[self.skills.index(skill)] for skill in skills])
            passed = {name: nn.Identity() for name in emptied}
            self._views[skills] = graft(self.rest, {place: active, **passed})
        return self._views[skills]


def _form_of(layer: nn.Module) -> tuple[str, ...]:
    """Names of the submodules that make up a layer's feed-forward block."""
    names = {name for name, _ in layer.named_modules()}
    found = [form for form in FORMS if names.issuperset(form)]
    if len(found) != 1:
        raise RelevanceError(
            f"{type(layer).__name__} does not keep its feed-forward block where method 'skillnet'"
            " looks for it. Use a backbone such as BERT, RoBERTa, ELECTRA, DistilBERT, DeBERTa or"
            " ModernBERT, or another `method`."
        )
    return found[0]
