"""New tasks on a trained run."""
