"""Tiny encoders of any family."""

from model_world import (  # noqa: F401  pytest finds them by their names here
    _own_random_state,
    backbone,
    pytest_generate_tests,
)
