"""Groups of tasks from a relevance matrix, and how far two groupings agree."""
