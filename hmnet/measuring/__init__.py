"""A joint trainer and a probe, which the measures of relevance ask of a model."""
