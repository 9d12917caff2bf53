"""Measures of labels and texts: label metrics, bootstrap intervals, diversity, copies, closeness, two-sample tests.

They read and write no file and know no config. Imports `base`.
"""
