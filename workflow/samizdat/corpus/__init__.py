"""The user's texts, a Hub dataset or the demo as one table: writes `results/<run>/corpus/`.

Imports `base`, `records`, `measures` and `checkpoints`.
"""
