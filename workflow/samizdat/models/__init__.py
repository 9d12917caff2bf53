"""Tokenizers and language models: writes `results/<run>/tokenizers/` and `results/<run>/models/`, and pushes a model.

Imports `base`, `records`, `checkpoints`, `optimization` and `environment`.
"""
