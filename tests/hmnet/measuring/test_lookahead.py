"""Lookahead against steps on copies of the model, and that nobody can tell that it looked."""

import copy

import numpy as np
import torch

from hmnet.measuring.batches import shared_weights
from hmnet.measuring.gradients import loss_of
from hmnet.measuring.lookahead import look_ahead, spread
from hmnet.measuring.probe import EncoderProbe

NAMES = ("TONE", "SAME", "GRADE")
LR = 0.05


def bits(model: torch.nn.Module) -> list[bytes]:
    gradients = [w.grad for w in model.parameters() if w.grad is not None]
    return [value.numpy().tobytes() for value in [*model.state_dict().values(), *gradients]]


def test_losses_are_those_after_a_step_of_sgd_on_a_copy(probe: EncoderProbe) -> None:
    model = probe._trained(NAMES, 0)
    batches = probe._one_each(model, NAMES, 0, 0)
    before, after = look_ahead(model, shared_weights(model), batches, LR)
    for source, batch in enumerate(batches):
        moved = copy.deepcopy(model)
        optimizer = torch.optim.SGD(shared_weights(moved), lr=LR)
        optimizer.zero_grad()
        loss = loss_of(moved, batch)
        torch.autograd.backward(loss)
        optimizer.step()
        assert before[source] == loss.item()
        for target, other in enumerate(batches):
            expected = loss_of(model if target == source else moved, other).item()
            np.testing.assert_allclose(after[source, target], expected, rtol=1e-5)
    assert (after - before).abs().max() > 1e-3


def test_weights_are_what_they_were_bit_for_bit(probe: EncoderProbe) -> None:
    model = probe._trained(NAMES, 0)
    before = bits(model)
    look_ahead(model, shared_weights(model), probe._one_each(model, NAMES, 0, 0), LR)
    assert bits(model) == before


def test_training_goes_on_as_if_nobody_looked(probe: EncoderProbe) -> None:
    looked = []

    def look(model: torch.nn.Module, done: int) -> None:
        looked.append(done)
        model.eval()
        look_ahead(model, shared_weights(model), probe._one_each(model, NAMES, 0, done), LR)
        model.train()

    assert bits(probe._trained(NAMES, 0, watch=look)) == bits(probe._trained(NAMES, 0))
    assert looked == list(range(1, 10))


def test_moments_over_training(probe: EncoderProbe) -> None:
    losses = probe.lookahead(NAMES, moments=4, lr=LR, seed=0)
    assert losses.before.shape == (4, 3)
    assert losses.after.shape == (4, 3, 3)
    np.testing.assert_array_equal(np.diagonal(losses.after, axis1=1, axis2=2), losses.before)
    assert len(np.unique(losses.before)) == 12
    other = probe.lookahead(NAMES[::-1], moments=4, lr=LR, seed=0)
    np.testing.assert_allclose(other.after[:, ::-1, ::-1], losses.after, rtol=1e-5)


def test_moments_stand_in_the_middle_of_equal_parts() -> None:
    assert spread(9, 3) == (2, 5, 8)
    assert spread(3, 5) == (1, 2, 3)
    assert spread(1, 5) == (1,)
    for total in range(1, 40):
        for count in range(1, 8):
            moments = spread(total, count)
            assert len(set(moments)) == min(count, total)
            assert min(moments) >= 1
            assert max(moments) <= total
