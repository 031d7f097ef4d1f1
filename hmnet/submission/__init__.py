"""Answers to the test sets of GLUE and SuperGLUE, as the zip that a leaderboard takes."""
