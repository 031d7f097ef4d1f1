"""Which NLU tasks help each other: measures, matrices, clusters and figures, without any model."""

__version__ = "0.1.0"
