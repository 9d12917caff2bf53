"""Tokenizers and language models: writes `results/<run>/tokenizers/` and `results/<run>/models/`, and pushes a model.

Imports `base`, `records`, `measures`, `checkpoints`, `optimization` and `environment`.
"""
