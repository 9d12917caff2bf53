"""Texts that a model writes: writes `results/<run>/samples/`, and answers `samizdat sample`.

Imports `base`, `records`, `measures` and `checkpoints`.
"""
