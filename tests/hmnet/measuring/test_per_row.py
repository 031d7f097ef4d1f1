"""Gradients of every row at once against one backward pass for each row alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hmnet.answer_scale import AnswerScale
from hmnet.kinds.kind import kind_of
from hmnet.measuring.batches import drawn, shared_layers
from hmnet.measuring.features import mean_states
from hmnet.measuring.fisher import drawn_loss, fisher_diagonal
from hmnet.measuring.gradients import loss_of
from hmnet.measuring.linearised import linearise, make_sketches, true_margin
from hmnet.measuring.per_row import Sketch, each_row, linear_layers, squared_gradients
from hmnet.measuring.probe import EncoderProbe
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.freeze import Freeze
from hmnet.training.step import Batch
from relevance.interfaces.probe import FittedHead

NAMES = ("TONE", "SAME", "GRADE")
FAMILIES = ["bert", "roberta", "distilbert", "electra", "modernbert"]


def alone(batch: Batch, row: int) -> Batch:
    """One row of a batch, its padding left as it is."""
    inputs = {name: values[row : row + 1] for name, values in batch.inputs.items()}
    return Batch(batch.task, inputs, batch.labels[row : row + 1])


def layer_gradients(
    layers: dict[str, nn.Linear], value: torch.Tensor
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Gradients of weight and bias of each layer; zeros where there is no such thing."""
    nothing = torch.zeros(1)
    weights = [layer.weight for layer in layers.values()]
    biases = [layer.bias for layer in layers.values()]
    of_weights = torch.autograd.grad(value, weights, retain_graph=True, materialize_grads=True)
    return {
        name: (
            weight,
            nothing
            if bias is None
            else torch.autograd.grad(value, bias, retain_graph=True, materialize_grads=True)[0],
        )
        for name, weight, bias in zip(layers, of_weights, biases, strict=True)
    }


def first_batch(
    probe: EncoderProbe, task: str, model: MultiTaskModel | None = None, rows: int = 5
) -> Batch:
    """Rows as a model reads them, or as the encoder alone does."""
    of = probe._rows(task)
    train = of.train.encoded
    chosen = drawn(of.definition, train, rows, 0)
    if model is not None:
        return next(probe._batches_for(model, of, train, chosen))
    return next(probe._batches(kind_of(of.definition), train, chosen, probe._joined))


@pytest.mark.parametrize("family", FAMILIES)
def test_projections_are_those_of_each_rows_gradient(
    family: str, make_probe: Callable[..., EncoderProbe], tiny_backbones: dict[str, Path]
) -> None:
    probe = make_probe(tiny_backbones[family], max_steps_per_task=1)
    check_projections(probe, "SAME")


@pytest.mark.parametrize(
    ("family", "frozen"), [("bert", "embeddings"), ("bert", "1"), ("modernbert", "embeddings")]
)
def test_projections_over_frozen_layers(
    family: str,
    frozen: str,
    make_probe: Callable[..., EncoderProbe],
    tiny_backbones: dict[str, Path],
) -> None:
    """Whose outputs carry no gradient, though three layers read the same of them."""
    chosen = Freeze.parse(frozen)
    check_projections(
        make_probe(tiny_backbones[family], freeze=chosen, max_steps_per_task=1), "SAME"
    )


@pytest.mark.parametrize("head", ["siamese", "siamese-difference"])
@pytest.mark.parametrize("task", ["SAME", "TONE", "MATCH"])
def test_projections_where_texts_are_read_one_by_one(
    head: str, task: str, make_probe: Callable[..., EncoderProbe]
) -> None:
    check_projections(make_probe(head=head, pooling="mean", max_steps_per_task=1), task)


def test_projections_of_cosines(make_probe: Callable[..., EncoderProbe]) -> None:
    check_projections(make_probe(head="cosine", pooling="mean", max_steps_per_task=1), "MATCH")


def check_projections(probe: EncoderProbe, task: str) -> None:
    """Against one backward pass for each of five rows."""
    model = probe._trained([task], 0)
    batch = first_batch(probe, task, model)
    layers = shared_layers(model)
    sketches = make_sketches(layers, 16, 0)
    found = linearise(model, sketches, [batch])
    assert found.gradients.shape == (5, 16)
    assert np.abs(found.gradients).max() > 1e-3
    for row in range(5):
        one = alone(batch, row)
        margin = true_margin(model(task, one.inputs), one.labels).squeeze()
        margin = margin * model.kinds[task].unit
        expected = torch.zeros(4, 4)
        for name, (weight, bias) in layer_gradients(layers, margin).items():
            sketch = sketches[name]
            expected += sketch.left @ (weight @ sketch.right.T)
            if layers[name].bias is not None:
                expected += torch.outer(sketch.left @ bias, sketch.bias)
        assert found.outputs[row] == pytest.approx(margin.item(), abs=1e-4)
        np.testing.assert_allclose(
            found.gradients[row], expected.detach().flatten(), rtol=1e-3, atol=1e-4
        )


def test_what_is_the_same_for_all_rows_is_left_out(
    make_probe: Callable[..., EncoderProbe], tiny_backbones: dict[str, Path]
) -> None:
    """DeBERTa applies its key layers to positions too; the values' gradient is the whole one."""
    probe = make_probe(tiny_backbones["deberta-v2"], max_steps_per_task=1)
    model = probe._trained(["SAME"], 0)
    batch = first_batch(probe, "SAME", model)
    layers = {n: layer for n, layer in shared_layers(model).items() if "pos_" not in n}
    seen: dict[str, torch.Tensor] = {}

    def take(name: str, inputs: torch.Tensor, gradients: torch.Tensor) -> None:
        assert name not in seen
        seen[name] = torch.einsum("rpo,rpi->oi", gradients, inputs)

    def total() -> torch.Tensor:
        return true_margin(model("SAME", batch.inputs), batch.labels).sum()

    each_row(layers, total, take)
    assert set(seen) == set(layers)
    whole = layer_gradients(layers, total())
    for name, gradient in seen.items():
        if "key" not in name and "query" not in name:
            np.testing.assert_allclose(gradient, whole[name][0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("task", NAMES)
def test_the_loss_is_a_function_of_the_margin(probe: EncoderProbe, task: str) -> None:
    model = probe._trained([task], 0)
    batch = first_batch(probe, task, model)
    logits = model(task, batch.inputs)
    output = true_margin(logits, batch.labels)
    regression = task == "GRADE"
    losses = output**2 if regression else nn.functional.softplus(-output)
    kind = kind_of(model.definitions[task], AnswerScale(offset=0, spread=1, unit=1))
    of_rows = kind.losses(logits, batch.labels)
    assert losses.mean().item() == pytest.approx(of_rows.mean().item(), rel=1e-5)


@pytest.mark.parametrize("loss", ["scale", "standardised"])
def test_a_line_fits_values_on_the_scale_of_their_loss(
    make_probe: Callable[..., EncoderProbe], loss: str
) -> None:
    probe = make_probe(max_steps_per_task=1, regression_loss=loss)
    model = probe._trained(["GRADE"], 0)
    batch = first_batch(probe, "GRADE", model)
    outputs = linearise(model, make_sketches(shared_layers(model), 16, 0), [batch]).outputs
    assert np.mean(outputs**2) == pytest.approx(loss_of(model, batch).item(), rel=1e-5)
    unit = 4.0 if loss == "scale" else 1.0
    errors = model("GRADE", batch.inputs)[:, 0] - batch.labels
    assert outputs == pytest.approx((unit * errors).tolist(), rel=1e-4)


def test_small_changes_of_weights_move_outputs_along_the_gradients(probe: EncoderProbe) -> None:
    """With a change that lies in the space of one sketch, `outputs + gradients @ w` comes true."""
    model = probe._trained(["TONE"], 0)
    batch = first_batch(probe, "TONE", model)
    name, layer = list(shared_layers(model).items())[3]
    sketches = make_sketches({name: layer}, 16, 0)
    found = linearise(model, sketches, [batch])
    change = 1e-2 * np.random.default_rng(0).normal(size=16)
    square = torch.from_numpy(change.reshape(4, 4)).float()
    sketch = sketches[name]
    with torch.no_grad():
        layer.weight += sketch.left.T @ square @ sketch.right
        layer.bias += sketch.left.T @ square @ sketch.bias
        moved = true_margin(model("TONE", batch.inputs), batch.labels).numpy()
    step = found.gradients @ change
    np.testing.assert_allclose(moved - found.outputs, step, atol=0.05 * np.abs(step).max())


def test_inner_products_keep_their_expectation() -> None:
    layer = nn.Linear(30, 20)
    numbers = torch.Generator().manual_seed(0)
    inputs, gradients = (torch.randn(2, 3, size, generator=numbers) for size in (30, 20))
    whole = torch.einsum("rpo,rpi->roi", gradients, torch.cat([inputs, torch.ones(2, 3, 1)], dim=2))
    expected = torch.einsum("aoi,boi->ab", whole, whole)
    found = torch.zeros(2, 2)
    for _ in range(150):
        projected = Sketch(layer, 8, numbers)(inputs, gradients)
        found += projected @ projected.T / 150
    np.testing.assert_allclose(found, expected, atol=0.1 * expected.max())


def test_directions_are_a_square() -> None:
    with pytest.raises(ValueError, match="15 directions are no square number"):
        make_sketches({}, 15, 0)


@pytest.mark.parametrize(("task", "outputs"), [("SAME", 3), ("GRADE", 1)])
def test_fisher_is_the_mean_squared_gradient_of_drawn_labels(
    probe: EncoderProbe, task: str, outputs: int
) -> None:
    random = np.random.default_rng(0)
    head = FittedHead(random.normal(size=(outputs, 16)), random.normal(size=outputs), 0.25)
    batch = first_batch(probe, task)
    encoder = probe._encoder(0, task)
    found = fisher_diagonal(encoder, head, [batch], 7)
    layers = linear_layers(encoder)
    sums = {name: torch.zeros_like(layer.weight) for name, layer in layers.items()}
    numbers = torch.Generator().manual_seed(7)
    for row in range(5):
        loss = drawn_loss(mean_states(encoder, alone(batch, row)), head, numbers)
        for name, (weight, _) in layer_gradients(layers, loss).items():
            sums[name] += weight**2
    expected = torch.cat([squares.mean(dim=1) / 5 for squares in sums.values()])
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-7)
    assert found.min() >= 0
    assert found.max() > 0


def test_labels_are_drawn_as_often_as_the_model_says() -> None:
    head = FittedHead(np.zeros((3, 2)), np.log([0.2, 0.5, 0.3]))
    states = torch.zeros(20_000, 2, requires_grad=True)
    loss = drawn_loss(states, head, torch.Generator().manual_seed(0)).item() / 20_000
    entropy = -sum(p * np.log(p) for p in (0.2, 0.5, 0.3))
    assert loss == pytest.approx(entropy, abs=0.01)


def test_values_are_drawn_around_the_output() -> None:
    head = FittedHead(np.ones((1, 2)), np.zeros(1), variance=0.25)
    states = torch.zeros(20_000, 2, requires_grad=True)
    loss = drawn_loss(states, head, torch.Generator().manual_seed(0))
    assert loss.item() / 20_000 == pytest.approx(0.5, abs=0.02)
    (slopes,) = torch.autograd.grad(loss, states)
    assert slopes.std().item() == pytest.approx(1 / 0.25**0.5, rel=0.02)


def test_squares_by_places_are_squares_of_whole_gradients() -> None:
    numbers = torch.Generator().manual_seed(0)
    inputs, gradients = (torch.randn(4, 6, size, generator=numbers) for size in (5, 3))
    whole = torch.einsum("rpo,rpi->roi", gradients, inputs)
    expected = (whole**2).sum(dim=0).mean(dim=1)
    np.testing.assert_allclose(squared_gradients(inputs, gradients), expected, rtol=1e-5)


def test_the_probe_answers_for_rows_it_draws(make_probe: Callable[..., EncoderProbe]) -> None:
    probe = make_probe(max_steps_per_task=1)
    head = FittedHead(np.random.default_rng(0).normal(size=(2, 16)), np.zeros(2))
    one, other = (probe.fisher("TONE", head, rows=20, seed=seed) for seed in (0, 1))
    assert one.shape == other.shape
    assert not np.array_equal(one, other)
    found = probe.linearise(NAMES, rows=10, directions=16, seed=0)
    turned = probe.linearise(NAMES[::-1], rows=10, directions=16, seed=0)
    assert list(found) == list(NAMES)
    for name in NAMES:
        train, held_out = found[name]
        assert len(train.outputs) == 10
        assert len(held_out.outputs) == {"TONE": 10, "SAME": 8, "GRADE": 10}[name]
        np.testing.assert_allclose(train.gradients, turned[name][0].gradients, rtol=1e-4)
