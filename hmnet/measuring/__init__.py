"""What the measures of relevance ask of a model: a joint trainer and a probe."""
