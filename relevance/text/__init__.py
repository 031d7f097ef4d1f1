"""From text to token ids: tokenizers, where they come from, and vectors of tokens."""
