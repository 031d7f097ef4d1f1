"""Scores and predictions of a trained run."""
