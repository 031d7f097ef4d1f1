"""The relevance matrix, and what only matrices of gains have: marks, merging, other metrics."""
