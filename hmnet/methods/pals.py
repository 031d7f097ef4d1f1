"""PALs: one encoder for all tasks, and beside every layer a narrow attention of each task's own."""

from hmnet.methods.method import AdapterMethod


class ProjectedAttention(AdapterMethod):
    """One encoder that is trained on all tasks, together with each task's projected attention.

    Source:
        Stickland and Murray (2019), "BERT and PALs: Projected Attention Layers for Efficient
        Adaptation in Multi-Task Learning".
    """
