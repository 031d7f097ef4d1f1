"""Sharing of layers among tasks: sharing plans, and the table of skills."""
