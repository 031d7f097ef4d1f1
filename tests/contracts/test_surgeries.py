"""What holds for every gradient surgery: factors for any tasks, the same again from one seed."""

import pytest
import torch

from hmnet.surgery.surgery import surgeries

every_surgery = pytest.mark.parametrize("name", surgeries.names())


@every_surgery
@pytest.mark.parametrize("tasks", [1, 2, 6])
def test_a_finite_factor_for_every_task(name: str, tasks: int) -> None:
    rows = torch.randn(tasks, 9, generator=torch.Generator().manual_seed(tasks))
    factors = surgeries.find(name)().weights(rows @ rows.T)
    assert factors.shape == (tasks,)
    assert factors.isfinite().all()


@every_surgery
def test_what_is_random_comes_from_torchs_generator(name: str) -> None:
    """Its state is in every checkpoint, so that a resumed run goes on as the unbroken one."""
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    surgery = surgeries.find(name)()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = [surgery.weights(rows @ rows.T) for _ in range(3)]
    torch.set_rng_state(state)
    again = [surgeries.find(name)().weights(rows @ rows.T) for _ in range(3)]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


@every_surgery
def test_it_says_what_it_does_and_where_it_comes_from(name: str) -> None:
    assert "Source:" in str(surgeries.find(name).__doc__)
