"""The folder of a run: training it, its log, scores and costs."""
