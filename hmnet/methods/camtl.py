"""CA-MTL: one encoder for all tasks, bent by small modules that each task's embedding modulates."""

from hmnet.methods.method import AdapterMethod


class CaMtl(AdapterMethod):
    """One model whose tasks share all layers, and the conditional modules in them.

    The new modules train even where the pretrained layers are frozen. The defaults are the
    thesis' settings.

    Source:
        El Hattami (2021), chapter 3; Pilault et al. (2021), "Conditionally Adaptive Multi-Task
        Learning".
    """
