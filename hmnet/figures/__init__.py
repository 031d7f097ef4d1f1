"""Figures of trained runs: laid out first as plain values, then drawn on matplotlib axes."""
