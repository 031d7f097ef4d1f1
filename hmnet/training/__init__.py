"""Training: one step, the loop around it with its hooks, and checkpoints."""
