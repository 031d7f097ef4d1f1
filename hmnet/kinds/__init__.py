"""Kinds of tasks, as a model learns them."""
