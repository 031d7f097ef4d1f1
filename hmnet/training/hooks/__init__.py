"""What happens around the steps of training: one file per hook."""
