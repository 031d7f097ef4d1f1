"""The hierarchical multi-task model whose layers follow the clusters, next to its baselines."""
