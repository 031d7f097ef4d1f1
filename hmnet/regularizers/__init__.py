"""Regularizers, by name: each adds a term to the loss of every batch."""
