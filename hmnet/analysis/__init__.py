"""Analyses of trained runs: what they get wrong, where they differ, how much they should share."""
