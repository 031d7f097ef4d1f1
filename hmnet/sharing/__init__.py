"""Which layers tasks share: sharing plans, and the table of skills."""
