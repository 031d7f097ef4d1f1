"""Training methods, by name: each says which layers its tasks share."""
