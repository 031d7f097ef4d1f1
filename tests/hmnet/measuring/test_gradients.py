"""Inner products of gradients against whole gradients, one after the other."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hmnet.measuring import gradients
from hmnet.measuring.batches import shared_weights
from hmnet.measuring.gradients import gradient_products, loss_of
from hmnet.measuring.probe import EncoderProbe
from hmnet.training.fit import fit

NAMES = ("TONE", "SAME", "GRADE")


def whole_gradient(model: torch.nn.Module, batch: object) -> torch.Tensor:
    """Every shared weight's gradient by a plain backward pass."""
    model.zero_grad()
    torch.autograd.backward(loss_of(model, batch))
    parts = [
        torch.zeros_like(weight) if weight.grad is None else weight.grad
        for name, weight in model.named_parameters()
        if "/head" not in name
    ]
    return torch.cat([part.flatten() for part in parts]).double()


@pytest.mark.parametrize("head", ["auto", "siamese"])
def test_products_are_those_of_whole_gradients(
    head: str, make_probe: Callable[..., EncoderProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "CHUNK", 1000)
    probe = make_probe(head=head, pooling="native" if head == "auto" else "mean")
    model = probe._trained(NAMES, 0)
    batches = probe._one_each(model, NAMES, 0, 0)
    found = gradient_products(model, shared_weights(model), batches)
    vectors = torch.stack([whole_gradient(model, batch) for batch in batches])
    lengths = vectors.norm(dim=1)
    error = (found - vectors @ vectors.T) / torch.outer(lengths, lengths)
    assert error.abs().max() < 2e-3  # bf16


def test_a_head_is_no_shared_weight(probe: EncoderProbe) -> None:
    model = probe._trained(NAMES, 0)
    shared = shared_weights(model)
    heads = {id(weight) for name, weight in model.named_parameters() if "/head" in name}
    assert heads
    assert not heads & {id(weight) for weight in shared}
    assert len(shared) + len(heads) == len(list(model.parameters()))


def test_order_of_the_tasks_plays_no_part(probe: EncoderProbe) -> None:
    one = probe.gradient_products(NAMES, batches=2, seed=1)
    other = probe.gradient_products(NAMES[::-1], batches=2, seed=1)
    assert one.shape == (2, 3, 3)
    np.testing.assert_allclose(other[:, ::-1, ::-1], one, rtol=1e-6)
    assert not np.allclose(one[0], one[1])


def test_the_model_is_trained_on_all_tasks_first(
    probe: EncoderProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules = []

    def spy(*arguments: object, **options: object) -> object:
        schedules.append(arguments[2])
        return fit(*arguments, **options)

    monkeypatch.setattr("hmnet.measuring.probe.fit", spy)
    probe.gradient_products(NAMES, batches=1, seed=0)
    (epochs,) = schedules
    trained = [batch.task for steps in epochs for step in steps for batch in step]
    assert sorted(trained) == sorted(NAMES * 3)
