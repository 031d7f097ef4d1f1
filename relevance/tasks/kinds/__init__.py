"""Kinds of tasks: what their rows are labelled with, and what their scores are made of."""
