"""Measures over arrays and lists of texts: label metrics, bootstrap intervals, diversity, copies, closeness.

They know no file and no config. Imports `base`.
"""
