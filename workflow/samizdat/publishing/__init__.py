"""The executed notebook, the page, and the page with the model: writes `results/<run>/report/`.

Imports `base`, `records` and `checkpoints`.
"""
