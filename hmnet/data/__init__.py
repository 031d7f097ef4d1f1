"""Encoding of texts, and batches of token ids."""
