"""Methods of clustering, by name."""
