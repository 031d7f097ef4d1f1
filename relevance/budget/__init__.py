"""The least training that tells what is asked: which run comes next, and when to stop."""
