"""What over a dozen families make of padding, of the first token and of a missing pooler."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from encoders import SMALL
from hmnet.backbones.backbone import load_backbone
from hmnet.data.tokenizer import read_tokenizer
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.settings.config import TrainingSettings
from hmnet.sharing.plan import separate
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from toys import toy

WIDE = SMALL | {"num_key_value_heads": 2, "head_dim": 8}
GPT = {"n_embd": 16, "n_layer": 4, "n_head": 2, "n_positions": 130}
FAMILIES = {
    "big_bird": SMALL,
    "squeezebert": SMALL
    | {
        "embedding_size": 16,
        **{f"{part}_groups": 2 for part in ("q", "k", "v", "post_attention", "intermediate")},
        "output_groups": 2,
    },
    "layoutlm": SMALL,
    "ernie": SMALL,
    "xlnet": {"d_model": 16, "n_layer": 4, "n_head": 2, "d_inner": 32},
    "gpt2": GPT,
    "openai-gpt": GPT,
    "llama": WIDE,
    "qwen3": WIDE,
    "opt": SMALL | {"ffn_dim": 32, "word_embed_proj_dim": 16},
    "nystromformer": SMALL | {"num_landmarks": 4, "segment_means_seq_len": 16},
    "fnet": SMALL,
    "convbert": SMALL | {"embedding_size": 16},
    "longformer": SMALL | {"attention_window": [4] * 4, "pad_token_id": 0},
    "lilt": SMALL,
}
TASKS = {
    "classification": toy("TONE", labels=("bad", "good")),
    "tokens": Task(
        name="NAMES",
        family="f",
        kind="tokens",
        text=("sentence",),
        labels=("O", "B-X"),
        metrics=("entity_f1",),
    ),
    "span": Task(
        name="QA", family="f", kind="span", text=("question", "context"), metrics=("span_f1",)
    ),
}
FAILS, ALIKE, PADDING = "its model fails on plain", "nothing but the first token", "on the padding"
MEAN, OTHER = 'Use `pooling="mean"`, or', "Use a backbone that reads both ways"
NO_HEAD = "has no model for question answering"
WORKS = ("big_bird", "squeezebert", "ernie")
# what comes of kind and pooling: nothing, or words of the message
EXPECTED: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "layoutlm": {("span", "native"): (NO_HEAD,)},
    "xlnet": {("classification", "native"): (PADDING, MEAN)},
    **{
        family: {
            ("classification", "cls"): (ALIKE, MEAN),
            ("span", "mean"): (ALIKE, OTHER),
        }
        for family in ("gpt2", "openai-gpt", "llama", "qwen3", "opt")
    },
    "nystromformer": {
        ("classification", "native"): (FAILS, "is invalid for input of size", OTHER),
        ("classification", "mean"): (FAILS, OTHER),
        ("tokens", "native"): (FAILS, OTHER),
    },
    "lilt": {("classification", "mean"): (FAILS, OTHER)},
    "fnet": {("classification", "mean"): (PADDING, OTHER), ("tokens", "mean"): (PADDING,)},
    "convbert": {("classification", "mean"): (PADDING, OTHER), ("span", "native"): (PADDING,)},
    "longformer": {("span", "native"): (FAILS, MEAN), ("span", "mean"): ()},
}
ALL = [(kind, pooling) for kind in TASKS for pooling in ("native", "cls", "mean")]


@pytest.fixture(scope="module")
def written(
    make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A random encoder of a family that has no tests of its own."""
    root = tmp_path_factory.mktemp("families")

    def find(family: str) -> Path:
        folder = root / family
        return folder if folder.exists() else make_backbone(family, folder, **FAMILIES[family])

    return find


def asked(folder: Path, kind: str, pooling: str) -> None:
    check_reading(
        load_backbone(str(folder)),
        read_tokenizer(folder),
        [TASKS[kind]],
        TrainingSettings(pooling=pooling, max_length=64),
    )


@pytest.mark.parametrize("other", FAMILIES)
def test_families_work_or_are_refused_in_one_line(
    written: Callable[[str], Path], other: str
) -> None:
    folder = written(other)
    expected = EXPECTED.get(other, {})
    for kind, pooling in ALL if other in WORKS else expected:
        words = expected.get((kind, pooling), ())
        if not words:
            asked(folder, kind, pooling)
            continue
        with pytest.raises(RelevanceError) as caught:
            asked(folder, kind, pooling)
        assert "\n" not in str(caught.value)
        assert all(word in str(caught.value) for word in words)


def test_the_tested_families_pass(family: str, backbone: Path) -> None:
    for kind, pooling in ALL:
        if (family, kind, pooling) != ("modernbert", "span", "native"):
            asked(backbone, kind, pooling)


@pytest.mark.parametrize("other", ["gpt2", "llama", "xlnet"])
def test_the_setting_that_is_named_gives_a_text_the_same_answer_beside_another(
    written: Callable[[str], Path], other: str
) -> None:
    folder = written(other)
    asked(folder, "classification", "mean")
    plan = separate(["TONE"], 4)
    model = MultiTaskModel.from_backbone(
        str(folder), [TASKS["classification"]], plan, pooling="mean"
    )
    tokenizer = read_tokenizer(folder)
    texts = ["good film", "the dog runs in the city and it was not good"]
    tokenizer.padding_side = "right"
    both = dict(tokenizer(texts, padding=True, return_tensors="pt"))
    one = dict(tokenizer(texts[:1], return_tensors="pt"))
    kept = ("input_ids", "attention_mask")
    answers = [model("TONE", {name: each[name] for name in kept}) for each in (both, one)]
    assert torch.allclose(answers[0][:1], answers[1], atol=1e-6)


def test_no_padding_token_is_one_line(make_backbone: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_backbone("gpt2", tmp_path / "gpt2", **GPT, pad_token_id=None)
    with pytest.raises(
        RelevanceError, match=r"no padding token is defined\)\. Use `pooling=.mean.`"
    ):
        asked(folder, "classification", "native")


@pytest.mark.parametrize("other", ["squeezebert", "layoutlm"])
@pytest.mark.parametrize("pooling", ["native", "cls", "mean"])
def test_encoders_that_call_their_pooler_can_be_trained(
    written: Callable[[str], Path], other: str, pooling: str
) -> None:
    tasks, plan = [TASKS["classification"]], separate(["TONE"], 4)
    folder = written(other)
    model = MultiTaskModel.from_backbone(str(folder), tasks, plan, pooling=pooling).train()
    inputs = dict(read_tokenizer(folder)(["a good film"] * 2, return_tensors="pt"))
    model("TONE", inputs).sum().backward()
    assert all(
        weight.grad is not None for name, weight in model.named_parameters() if "head" in name
    )


def test_the_trial_draws_nothing_and_changes_nothing(tiny_bert: Path) -> None:
    backbone, state = load_backbone(str(tiny_bert)), torch.get_rng_state()
    before = {name: value.clone() for name, value in backbone.base.state_dict().items()}
    for pooling in ("native", "cls", "mean"):
        check_reading(
            backbone,
            read_tokenizer(tiny_bert),
            list(TASKS.values()),
            TrainingSettings(pooling=pooling, max_length=64),
        )
    assert torch.equal(torch.get_rng_state(), state)
    after = backbone.base.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
