"""Runs side by side, and whether they differ by more than chance."""
