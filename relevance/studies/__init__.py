"""Studies: many independent runs, laid over devices, kept on disk and found again."""
