"""Settings of a run: read once, checked once, against tasks and plan."""
