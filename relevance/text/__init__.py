"""Tokenizers, the files they come from, and vectors of tokens."""
