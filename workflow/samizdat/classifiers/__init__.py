"""Classifiers, imported or fine-tuned, and their scores: writes `classifiers/` and `scores/` of a run.

Imports `base`, `records`, `measures`, `checkpoints` and `optimization`.
"""
