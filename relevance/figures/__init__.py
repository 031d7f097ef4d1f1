"""Figures: what is shown is laid out first as a plain value, then drawn on matplotlib axes."""
