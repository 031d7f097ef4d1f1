"""The relevance matrix, and what only matrices of gains have: intervals, merging, other metrics."""
