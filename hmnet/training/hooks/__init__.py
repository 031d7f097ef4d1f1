"""Hooks, which take part around the steps of training: one file for each."""
