"""Samplers: in what order the tasks' batches are trained, by name."""
