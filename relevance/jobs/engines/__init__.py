"""Engines, which run jobs: one file for each."""
