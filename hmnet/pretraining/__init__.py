"""Pre-training: corpora, inputs with masked and swapped tokens, objectives at layers."""
