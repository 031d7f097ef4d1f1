"""Heads, by name."""
