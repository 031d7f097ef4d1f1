"""Probing: what the frozen layers of an encoder say about sentences, by classifiers on them."""
