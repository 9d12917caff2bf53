"""Statistics of scores and samples, with confidence intervals: writes `results/<run>/statistics/`.

Imports `base`, `records`, `measures` and `checkpoints`.
"""
