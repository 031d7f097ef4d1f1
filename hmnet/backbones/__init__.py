"""The pretrained encoder: finding it, loading it, taking it apart."""
