"""Modules that a method puts into pretrained layers, by name."""
