"""Tasks: what they are, the built-in ones, loading and scoring."""
