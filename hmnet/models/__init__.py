"""Models: one pool of layers, and for every task the path through it that a sharing plan names."""
