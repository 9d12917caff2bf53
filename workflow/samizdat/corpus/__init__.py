"""The corpus: texts from files, a Hub dataset or the demo as one table. Writes `results/<run>/corpus/`.

Imports `base`, `records`, `measures`, `checkpoints` and `environment`.
"""
