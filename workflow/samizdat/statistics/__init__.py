"""What the scores and the samples show, with intervals: writes `results/<run>/statistics/`.

Imports `base`, `records`, `measures` and `checkpoints`.
"""
