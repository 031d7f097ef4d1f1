"""Two clusters of four tasks, and a plan for them."""

from model_world import plan, spec  # noqa: F401  pytest finds them by their names here
