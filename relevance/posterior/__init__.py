"""Every cell of a matrix, measured or not, as the runs there are tell it."""
