"""Gradient surgery, by name: how the gradients of several tasks become one update."""
