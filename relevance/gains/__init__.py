"""Formulas of joint-training gains, their noise and how reliable they are: numbers alone."""
