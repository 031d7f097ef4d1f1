"""Four tasks in two clusters, and batches for any family."""

from model_world import (  # noqa: F401  pytest finds them by their names here
    _own_random_state,
    backbone,
    batch_for,
    binary_task,
    plan,
    plans,
    pytest_generate_tests,
    spec,
    tasks,
)
