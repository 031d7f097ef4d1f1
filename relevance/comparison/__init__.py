"""Measures beside measured gains: ranking metrics and agreement of groups."""
