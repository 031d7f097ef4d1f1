"""Measures of relevance, by name."""
