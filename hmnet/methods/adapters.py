"""Adapters: the pretrained encoder is frozen, and each task has small modules of its own in it."""

from hmnet.methods.method import AdapterMethod


class HoulsbyAdapters(AdapterMethod):
    """One encoder that stays as it is; adapters, norms and heads are trained, each task's its own.

    Source:
        Houlsby et al. (2019), "Parameter-Efficient Transfer Learning for NLP".
    """
