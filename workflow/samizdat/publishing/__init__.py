"""The executed notebook and the page: writes `results/<run>/report/`.

Imports `base` and `records`.
"""
