"""Compares finished runs: one notebook and one page of what differs, of losses and of every statistic.

Imports `base`, `records`, `measures`, `reporting`, `publishing`, `runs` and `statistics`.
"""
