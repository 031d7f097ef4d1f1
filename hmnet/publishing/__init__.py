"""Runs and exports on the Hugging Face hub, fetched again and compared."""
