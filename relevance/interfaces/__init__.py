"""Interfaces of what is handed in: a trainer, a probe, the memory that a run took."""
